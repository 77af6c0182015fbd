package sftpfs_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

func TestCapabilities(t *testing.T) {
	t.Parallel()
	capabilities := func(cfg sftpfs.Config) (*sftpfs.Fs, sftpfs.Capabilities) {
		fsys := newFs(t, cfg)
		require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o600))
		c, err := fsys.Capabilities(t.Context())
		require.NoError(t, err)
		require.Positive(t, c.RoundTrip)
		require.Equal(t, 1, c.Channels)
		require.Equal(t, 1, c.Connections)
		require.True(t, c.MoreChannels)
		return fsys, c
	}

	fsys, c := capabilities(openSSHConfig(opensshtest.Start(t, opensshtest.Options{})))
	require.Equal(t, "1", c.Extensions["posix-rename@openssh.com"])
	require.Equal(t, "1", c.Extensions["hardlink@openssh.com"])
	require.True(t, c.AtomicReplace)
	require.True(t, c.Sync)
	require.False(t, c.RefusesModes)
	require.Empty(t, c.Refused)
	want := 255 << 10
	if c.RoundTrip >= 10*time.Millisecond { // a busy machine is a long line
		want = 32 << 10
	}
	require.Equal(t, want, c.Packet)
	require.Greater(t, c.Files, 100)
	f, err := fsys.Create("g")
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())

	// Extensions off, as far as they matter, and no setstat.
	fsys, c = capabilities(openSSHConfig(opensshtest.Start(t, opensshtest.Options{
		SFTPServerArgs: []string{"-P", "posix-rename,fsync,limits,setstat,fsetstat"},
	})))
	require.False(t, c.AtomicReplace)
	require.False(t, c.Sync)
	require.True(t, c.RefusesModes)
	require.Equal(t, []string{"fsetstat mode", "mode of a new file"}, c.Refused)
	require.Equal(t, 32<<10, c.Packet)
	require.Zero(t, c.Files)
	f, err = fsys.Create("g")
	require.NoError(t, err)
	require.ErrorIs(t, f.Sync(), errors.ErrUnsupported)
	require.NoError(t, f.Close())
	require.ErrorIs(t, f.Sync(), os.ErrClosed)
}

// Large packets carry the same bytes.
func TestLargePackets(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	fsys := newFs(t, openSSHConfig(server))
	require.NoError(t, fsys.Connect(t.Context()))
	require.NoError(t, fsys.Mkdir("d", 0o755)) // the limits are asked for with it
	content := random(5<<20 + 17)
	f, err := fsys.Create("f")
	require.NoError(t, err)
	_, err = io.Copy(f, struct{ io.Reader }{bytes.NewReader(content)})
	require.NoError(t, err)
	got := make([]byte, len(content))
	_, err = f.ReadAt(got, 0)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	_, err = f.WriteAt(content, 5)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	onDisk, err := os.ReadFile(filepath.Join(server.Root, "f"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, onDisk[5:]))
}

// Where the server can't replace, the old file steps aside if that is allowed.
func TestNonAtomicReplace(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{SFTPServerArgs: []string{"-P", "posix-rename"}})
	l, cfg := far(t, openSSHConfig(server), link.Options{})
	cfg.AllowNonAtomicReplace = true
	fsys := newFs(t, cfg)
	put := func(name, content string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(server.Root, name), []byte(content), 0o600))
	}
	state := func() map[string]string {
		state := make(map[string]string)
		entries, err := os.ReadDir(server.Root)
		require.NoError(t, err)
		for _, e := range entries {
			if b, err := os.ReadFile(filepath.Join(server.Root, e.Name())); err == nil {
				state[e.Name()] = string(b)
			}
		}
		return state
	}
	put("old", "old")
	put("new", "new")
	require.NoError(t, fsys.Rename("new", "old"))
	require.Equal(t, map[string]string{"old": "new"}, state())
	require.ErrorIs(t, fsys.Rename("missing", "old"), os.ErrNotExist)
	require.Equal(t, map[string]string{"old": "new"}, state())

	// Wherever the connection is cut, neither file is lost.
	came := 0
	for n := int64(0); n < 1200; n += 37 {
		put("old", "old")
		put("new", "new")
		require.NoError(t, fsys.Connect(t.Context()))
		_, err := fsys.Stat("/")
		require.NoError(t, err)
		cut := l.CutAfter(link.Up, n)
		err = fsys.Rename("new", "old")
		if cut.Cancel() {
			came++
		} else {
			require.NoError(t, err)
		}
		if err != nil {
			require.ErrorIs(t, err, sftpfs.ErrUnavailable)
			_, serr := fsys.Stat("/")
			require.NoError(t, serr)
		}
		require.Eventually(t, func() bool { // the server may be at it still
			now := slices.Sorted(maps.Values(state()))
			return slices.Equal(now, []string{"new", "old"}) || slices.Equal(now, []string{"new"})
		}, soon, time.Millisecond, "cut after %d: %v", n, err)
		for name := range state() {
			require.NoError(t, os.Remove(filepath.Join(server.Root, name)))
		}
	}
	require.Greater(t, came, 10)
}
