package sftptest_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// operations are one for each kind of request that a character may refuse. None needs or disturbs another.
var operations = map[sftptest.Kind]func(c *sftp.Client) error{
	sftptest.Open:        func(c *sftp.Client) error { return second(c.Open("/f")) },
	sftptest.Write:       func(c *sftp.Client) error { return write(c, "/written", "content") },
	sftptest.Stat:        func(c *sftp.Client) error { return second(c.Stat("/f")) },
	sftptest.Lstat:       func(c *sftp.Client) error { return second(c.Lstat("/f")) },
	sftptest.OpenDir:     func(c *sftp.Client) error { return second(c.ReadDir("/")) },
	sftptest.Realpath:    func(c *sftp.Client) error { return second(c.RealPath("/f")) },
	sftptest.Setstat:     func(c *sftp.Client) error { return c.Chtimes("/f", time.Now(), time.Now()) },
	sftptest.Remove:      func(c *sftp.Client) error { return c.Remove("/removed") },
	sftptest.Mkdir:       func(c *sftp.Client) error { return c.Mkdir("/made") },
	sftptest.Rmdir:       func(c *sftp.Client) error { return c.RemoveDirectory("/empty") },
	sftptest.Rename:      func(c *sftp.Client) error { return c.Rename("/old", "/new") },
	sftptest.PosixRename: func(c *sftp.Client) error { return c.PosixRename("/older", "/newer") },
	sftptest.Symlink:     func(c *sftp.Client) error { return c.Symlink("f", "/linked") },
	sftptest.Readlink:    func(c *sftp.Client) error { return second(c.ReadLink("/l")) },
	sftptest.Fstat:       onOpen(func(f *sftp.File) error { return second(f.Stat()) }),
	sftptest.Fsetstat:    onOpen(func(f *sftp.File) error { return f.Chmod(0o600) }),
}

func onOpen(do func(f *sftp.File) error) func(c *sftp.Client) error {
	return func(c *sftp.Client) error {
		f, err := c.OpenFile("/f", os.O_WRONLY)
		if err != nil {
			return err
		}
		defer f.Close()
		return do(f)
	}
}

func TestRefusingCharacters(t *testing.T) {
	t.Parallel()
	renames := []sftptest.Kind{sftptest.Rename, sftptest.PosixRename}
	for name, c := range map[string]struct {
		character sftptest.Character
		status    sftptest.Status
		refused   []sftptest.Kind
	}{
		"none":      {func(*sftptest.Options) {}, 0, nil},
		"NoRename":  {sftptest.NoRename(), sftptest.StatusOpUnsupported, renames},
		"NoSetstat": {sftptest.NoSetstat(), sftptest.StatusOpUnsupported, []sftptest.Kind{sftptest.Setstat, sftptest.Fsetstat}},
		"NoFstat":   {sftptest.NoFstat(), sftptest.StatusOpUnsupported, []sftptest.Kind{sftptest.Fstat}},
		"NoSymlink": {sftptest.NoSymlink(), sftptest.StatusOpUnsupported, []sftptest.Kind{sftptest.Symlink, sftptest.Readlink}},
		"WriteOnly": {sftptest.WriteOnly(), sftptest.StatusPermissionDenied, []sftptest.Kind{
			sftptest.Open, sftptest.Stat, sftptest.Lstat, sftptest.Fstat, sftptest.OpenDir, sftptest.Readlink}},
		"Restricted": {sftptest.Restricted("mkdir", "rename", "posix-rename"), sftptest.StatusPermissionDenied,
			append(renames, sftptest.Mkdir)},
		"Restricted, full name": {sftptest.Restricted(sftptest.PosixRename), sftptest.StatusPermissionDenied,
			[]sftptest.Kind{sftptest.PosixRename}},
	} {
		server := sftptest.Start(t, c.character)
		for _, file := range []string{"/f", "/removed", "/old", "/older"} {
			put(t, server, file, "content")
		}
		require.NoError(t, server.Fs().Mkdir("/empty", 0o755))
		require.NoError(t, server.Fs().(afero.Linker).SymlinkIfPossible("f", "/l"))
		client := channel(t, dial(t, server))
		for kind, do := range operations {
			want := sftptest.StatusOK
			if slices.Contains(c.refused, kind) {
				want = c.status
			}
			err := do(client)
			require.EqualValues(t, want, code(err), "%s: %s: %v", name, kind, err)
		}
		_, announced := client.HasExtension(string(sftptest.PosixRename))
		require.Equal(t, !slices.Contains(c.refused, sftptest.PosixRename), announced, name)
	}
}

// Locked tells nothing of a file while it is open, wherever.
func TestLocked(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, sftptest.Locked())
	put(t, server, "/f", "content")
	c, other := channel(t, dial(t, server)), channel(t, dial(t, server))
	f, err := c.Open("/f")
	require.NoError(t, err)
	for _, err := range []error{second(c.Stat("/f")), second(other.Lstat("/f")), second(f.Stat())} {
		require.EqualValues(t, sftptest.StatusFailure, code(err))
	}
	require.NoError(t, second(c.ReadDir("/")))
	require.NoError(t, second(c.Stat("/")))
	require.NoError(t, f.Close())
	require.NoError(t, second(other.Stat("/f")))
}
