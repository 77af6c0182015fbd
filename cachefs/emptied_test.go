package cachefs

import (
	"context"
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// A local directory that was made for copies is not the user's once the last of them has gone, also after a restart:
// the remote says whether it is there, and with what mode.
func TestEmptiedDirectoryIsTheRemotes(t *testing.T) {
	t.Parallel()
	for name, empty := range map[string]func(*Fs) error{
		"remove":    func(c *Fs) error { return c.Remove("d/e/f") },
		"removeall": func(c *Fs) error { return c.RemoveAll("d/e/f") },
		"rename":    func(c *Fs) error { return c.Rename("d/e/f", "g") },
		"replace":   func(c *Fs) error { return c.Rename("d/e/f", "h") },
		"evict":     func(c *Fs) error { return c.Evict("d/e/f") },
	} {
		for _, restart := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				remote, local := aferotest.OS(t.TempDir()), afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())
				require.NoError(t, remote.MkdirAll("d/e", 0o700))
				for _, file := range []string{"d/e/f", "h"} {
					require.NoError(t, afero.WriteFile(remote, file, []byte(file), 0o600))
				}
				c, err := New(remote, local, &Options{Revalidate: Always, ListTTL: -1})
				require.NoError(t, err)
				_, err = c.Pull(context.Background(), "/")
				require.NoError(t, err)
				require.NoError(t, empty(c))
				if restart {
					require.NoError(t, c.Close())
					c, err = New(remote, local, &Options{Revalidate: Always, ListTTL: -1})
					require.NoError(t, err)
				}
				defer func() { require.NoError(t, c.Close()) }()
				for _, dir := range []string{"d", "d/e"} {
					fi, err := c.Stat(dir)
					require.NoError(t, err)
					require.Equal(t, fs.ModeDir|0o700, fi.Mode(), dir)
				}
				require.NoError(t, remote.RemoveAll("d"))
				_, err = c.Stat("d")
				require.ErrorIs(t, err, fs.ErrNotExist)
			})
		}
	}
}

// A rename over the only file that is known of a directory goes into that directory.
func TestRenameOverTheOnlyCopy(t *testing.T) {
	t.Parallel()
	remote := aferotest.OS(t.TempDir())
	require.NoError(t, remote.Mkdir("d", 0o700))
	for _, file := range []string{"f", "d/f"} {
		require.NoError(t, afero.WriteFile(remote, file, []byte(file), 0o600))
	}
	c := newFs(t, remote, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), nil)
	_, err := c.Pull(context.Background(), "/")
	require.NoError(t, err)
	require.NoError(t, c.Rename("f", "d/f"))
	content, err := afero.ReadFile(c, "d/f")
	require.NoError(t, err)
	require.Equal(t, "f", string(content))

	// The rename is no edit of the copy.
	require.NoError(t, c.Evict("d/f"))
	require.NoError(t, c.Remove("d/f"))
	_, err = c.Stat("d/f")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
