package sftpfs_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

const openSSHVersion = "SSH-2.0-OpenSSH_9.9"

// subsystems are servers that an OpenSSH may run as its subsystem, with what they announce.
var subsystems = map[string][]sftptest.Character{
	"one in Go":     {version(openSSHVersion)},
	"mysecureshell": {version(openSSHVersion), sftptest.Announce("statvfs@openssh.com", "2"), sftptest.Announce("check-file", "")},
	"gesftpserver": {
		version(openSSHVersion), sftptest.Announce("fsync@openssh.com", "1"), sftptest.Announce("vendor-id", "Green End"),
		sftptest.Announce("symlink-order@rjk.greenend.org.uk", "targetpath-linkpath"),
	},
}

// Nothing is guessed of a server that only its SSH version says to be OpenSSH's, not even before its VERSION packet.
func TestShortcutsAreForOpenSSHAlone(t *testing.T) {
	t.Parallel()
	for name, characters := range subsystems {
		for first, call := range map[string]func(*sftpfs.Fs) error{
			"ReadVersion": func(fsys *sftpfs.Fs) error {
				_, _, err := fsys.ReadVersion("f", 7, time.Unix(1, 0))
				return err
			},
			"Stage": func(fsys *sftpfs.Fs) error {
				_, _, err := fsys.Stage("new", nil, 0o644, time.Unix(1, 0), time.Unix(1, 0), "f")
				return err
			},
		} {
			t.Run(name+", "+first, func(t *testing.T) {
				t.Parallel()
				var sent counter
				server := sftptest.Start(t, append([]sftptest.Character{
					sent.character(), sftptest.Mailbox(),
				}, characters...)...)
				fsys := newFs(t, server.Config())
				require.Error(t, call(fsys))
				require.Zero(t, sent.of(sftptest.Open, sftptest.OpenDir, sftptest.Read, sftptest.Write, sftptest.Close))
				require.False(t, fsys.KeepsContent())
			})
		}
	}
}

// A mailbox gives a file away once: it is not opened again, whatever asks for it.
func TestMailbox(t *testing.T) {
	t.Parallel()
	for name, characters := range subsystems {
		for _, trip := range []time.Duration{0, 15 * time.Millisecond} {
			t.Run(name+" "+trip.String(), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				var opens counter
				server := sftptest.Start(t, append([]sftptest.Character{
					opens.character(), sftptest.Mailbox(), serving(dir),
				}, characters...)...)
				_, cfg := far(t, server.Config(), link.Options{RoundTrip: trip})
				fsys := newFs(t, cfg)
				content := random(100_000)
				putFile(t, dir, "f", string(content))
				fi, err := fsys.Stat("f")
				require.NoError(t, err)
				_, _, err = fsys.ReadVersion("f", fi.Size(), fi.ModTime())
				require.Error(t, err)
				got, err := afero.ReadFile(fsys, "f")
				require.NoError(t, err)
				require.True(t, bytes.Equal(content, got))
				require.EqualValues(t, 1, opens.of(sftptest.Open))
				_, err = fsys.Stat("f")
				require.ErrorIs(t, err, os.ErrNotExist)
			})
		}
	}
}

// OpenSSH's own server still gets the shortcuts.
func TestOpenSSHIsRecognized(t *testing.T) {
	t.Parallel()
	_, cfg := far(t, stockConfig(t), link.Options{RoundTrip: longLine})
	fsys := newFs(t, cfg)
	require.NoError(t, afero.WriteFile(fsys, "f", nil, 0o666))
	requireRoundTrips(t, 1, func() {
		_, err := fsys.ReadDir("/")
		require.NoError(t, err)
	})
	require.True(t, fsys.KeepsContent())
}
