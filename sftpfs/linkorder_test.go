package sftpfs_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

const linkOrderExtension = "symlink-order@rjk.greenend.org.uk"

// Whatever order the server reads the paths in, and whatever it says of itself, a symbolic link is made where it should
// be, and nothing else is.
func TestSymlinkOrder(t *testing.T) {
	t.Parallel()
	openSSH := version(openSSHVersion)
	draft := sftptest.SwappedSymlink()
	draftAnnounced := sftptest.Announce(linkOrderExtension, "linkpath-targetpath")
	for name, c := range map[string]struct {
		requests   int64 // for two symbolic links
		characters []sftptest.Character
	}{
		"OpenSSH's":                               {3, nil},
		"the draft's":                             {3, []sftptest.Character{draft}},
		"the draft's, says OpenSSH":               {3, []sftptest.Character{draft, openSSH}},
		"OpenSSH's, says OpenSSH":                 {3, []sftptest.Character{openSSH}},
		"the draft's, says AsyncSSH":              {3, []sftptest.Character{draft, version("SSH-2.0-AsyncSSH_2.10.1")}},
		"OpenSSH's, says AsyncSSH":                {3, []sftptest.Character{version("SSH-2.0-AsyncSSH_2.10.1")}},
		"the draft's, announced":                  {2, []sftptest.Character{draft, draftAnnounced}},
		"the draft's, announced, says OpenSSH":    {2, []sftptest.Character{draft, draftAnnounced, openSSH}},
		"OpenSSH's, announced":                    {2, []sftptest.Character{sftptest.Announce(linkOrderExtension, "targetpath-linkpath")}},
		"the draft's, announces nonsense":         {3, []sftptest.Character{draft, sftptest.Announce(linkOrderExtension, "?")}},
		"OpenSSH's own":                           {2, []sftptest.Character{openSSH, sftptest.Announce("fsync@openssh.com", "1")}},
		"the draft's, no LSTAT":                   {3, []sftptest.Character{draft, sftptest.Restricted(sftptest.Lstat)}},
		"OpenSSH's, no LSTAT":                     {3, []sftptest.Character{sftptest.Restricted(sftptest.Lstat)}},
		"the draft's, no READLINK":                {3, []sftptest.Character{draft, refuse(sftptest.StatusOpUnsupported, sftptest.Readlink)}},
		"OpenSSH's, no READLINK":                  {3, []sftptest.Character{refuse(sftptest.StatusOpUnsupported, sftptest.Readlink)}},
		"the draft's, no names that begin with .": {4, []sftptest.Character{draft, sftptest.NoDots()}},
		"OpenSSH's, no names that begin with .":   {4, []sftptest.Character{sftptest.NoDots()}},
		"the draft's, stale":                      {3, []sftptest.Character{draft, sftptest.Stale(time.Hour)}},
		"OpenSSH's, stale":                        {3, []sftptest.Character{sftptest.Stale(time.Hour)}},
		"the draft's, certain names":              {3, []sftptest.Character{draft, sftptest.Suffixes(".lnk", ".txt")}},
		"OpenSSH's, certain names":                {3, []sftptest.Character{sftptest.Suffixes(".lnk", ".txt")}},
		"the draft's, nothing is shown":           {3, []sftptest.Character{draft, sftptest.WriteOnly()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var made counter
			server := sftptest.Start(t, append([]sftptest.Character{made.character()}, c.characters...)...)
			fsys := newFs(t, server.Config())
			tree := server.Fs()
			require.NoError(t, tree.MkdirAll("/d/e", 0o777))
			require.NoError(t, afero.WriteFile(tree, "/d/f.txt", nil, 0o666))
			require.NoError(t, fsys.SymlinkIfPossible("/d/f.txt", "d/1.lnk"))
			require.NoError(t, fsys.SymlinkIfPossible("e/nothing", "d/2.lnk"))
			require.EqualValues(t, c.requests, made.of(sftptest.Symlink))
			for name, want := range map[string]string{"1.lnk": "/d/f.txt", "2.lnk": "e/nothing"} {
				got, err := tree.(afero.LinkReader).ReadlinkIfPossible("/d/" + name)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
			entries, err := afero.ReadDir(tree, "/d")
			require.NoError(t, err)
			require.Len(t, entries, 4)
			require.ErrorIs(t, fsys.SymlinkIfPossible("x", "missing/l.lnk"), fs.ErrNotExist)
		})
	}
}

// A server that removes nothing keeps one symbolic link more.
func TestSymlinkOrderWhereNothingIsRemoved(t *testing.T) {
	t.Parallel()
	for _, characters := range [][]sftptest.Character{{}, {sftptest.SwappedSymlink()}} {
		server := sftptest.Start(t, append(characters, sftptest.Restricted(sftptest.Remove, sftptest.Rmdir))...)
		fsys := newFs(t, server.Config())
		for _, name := range []string{"a", "b"} {
			require.NoError(t, fsys.SymlinkIfPossible("target", name))
			got, err := fsys.ReadlinkIfPossible(name)
			require.NoError(t, err)
			require.Equal(t, "target", got)
		}
		entries, err := afero.ReadDir(server.Fs(), "/")
		require.NoError(t, err)
		require.Len(t, entries, 3)
		require.ErrorIs(t, fsys.SymlinkIfPossible("target", "a"), fs.ErrExist)
	}
}

// The first symbolic link of many shows the order to all of them, also on later connections.
func TestSymlinkOrderIsRemembered(t *testing.T) {
	t.Parallel()
	var made counter
	server := sftptest.Start(t, made.character(), sftptest.SwappedSymlink())
	fsys := newFs(t, server.Config())
	for _, name := range []string{"a", "b", "c"} {
		_, err := fsys.Stat("/")
		require.NoError(t, err)
		require.NoError(t, fsys.SymlinkIfPossible("target", name))
		server.Disconnect()
	}
	require.EqualValues(t, 4, made.of(sftptest.Symlink))
}

// OpenSSH's sshd with SFTP servers of other makes.
func TestSymlinkOrderOfSubsystems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		program string
		args    []string
	}{
		"gesftpserver":                {"/usr/libexec/gesftpserver", nil},
		"sftp-server":                 {sftpServer, nil},
		"sftp-server, extensions off": {sftpServer, []string{"-P", "posix-rename,fsync,limits"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(c.program); err != nil {
				t.Skip(err) // not installed
			}
			server := opensshtest.Start(t, opensshtest.Options{Subsystem: c.program, SFTPServerArgs: c.args})
			fsys := newFs(t, openSSHConfig(server))
			for name, target := range map[string]string{"1": "nothing", "2": "/there", "3": "there"} {
				require.NoError(t, fsys.SymlinkIfPossible(target, name))
				got, err := fsys.ReadlinkIfPossible(name)
				require.NoError(t, err)
				require.Equal(t, target, got)
			}
			entries, err := os.ReadDir(server.Root)
			require.NoError(t, err)
			require.Len(t, entries, 3)
			got, err := os.Readlink(filepath.Join(server.Root, "1"))
			require.NoError(t, err)
			require.Equal(t, "nothing", got)
		})
	}
}
