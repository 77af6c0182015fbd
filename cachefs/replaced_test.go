package cachefs

import (
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A copy that a rename on the remote has replaced, and that cannot be deleted, is never served under its old name.
func TestReplacedCopyThatCannotBeDeleted(t *testing.T) {
	t.Parallel()
	for _, replaced := range []string{"b", "d/b"} {
		for _, fetched := range []bool{false, true} {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/fetched %v/restart %v", replaced, fetched, restart), func(t *testing.T) {
					t.Parallel()
					remote, local, plan := aferotest.OS(t.TempDir()), afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), new(faultfs.Plan)
					for _, name := range []string{"a", replaced} {
						require.NoError(t, remote.MkdirAll("d", 0o755))
						require.NoError(t, afero.WriteFile(remote, name, []byte("content of "+name), 0o644))
					}
					open := func() *Fs {
						c, err := New(remote, faultfs.New(local, plan), &Options{ListTTL: -1})
						require.NoError(t, err)
						return c
					}
					c := open()
					read := func(name string) (string, error) {
						got, err := afero.ReadFile(c, name)
						return string(got), err
					}
					_, err := read(replaced)
					require.NoError(t, err)
					if fetched {
						_, err := read("a")
						require.NoError(t, err)
					}
					plan.Before(func(op faultfs.Op) error {
						if op.Kind == faultfs.Remove && op.Name == "/"+replaced {
							return syscall.EACCES
						}
						return nil
					})
					require.NoError(t, c.Rename("a", replaced))
					for range 2 {
						got, err := read(replaced)
						if err == nil {
							require.Equal(t, "content of a", got)
						}
						if restart {
							require.NoError(t, c.Close())
							c = open()
						}
					}
					plan.Heal()
					got, err := read(replaced)
					require.NoError(t, err)
					require.Equal(t, "content of a", got)
					infos, err := afero.ReadDir(c, "/")
					require.NoError(t, err)
					for _, fi := range infos {
						require.NotEqual(t, "a", fi.Name())
					}
					require.NoError(t, c.RemoveAll(replaced))
					_, err = read(replaced)
					require.ErrorIs(t, err, fs.ErrNotExist)
					require.Zero(t, c.Stats().UsedBytes)
					require.NoError(t, c.Close())
				})
			}
		}
	}
}
