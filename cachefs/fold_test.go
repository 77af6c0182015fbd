package cachefs

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/foldfs"
)

// TestCopiesOfNamesTheDiskTakesForOne reads, evicts and replaces files whose names the local directory cannot keep
// apart, or hold.
func TestCopiesOfNamesTheDiskTakesForOne(t *testing.T) {
	t.Parallel()
	for _, kind := range foldfs.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			next := kind.Start(t)
			for _, pair := range foldfs.Pairs {
				remote, local := afero.NewMemMapFs(), next()
				for _, name := range pair {
					require.NoError(t, afero.WriteFile(remote, "/"+name, []byte(name), 0o644))
				}
				longest := int64(max(len(pair[0]), len(pair[1])))
				c, err := New(remote, local, &Options{MaxBytes: longest})
				require.NoError(t, err)
				t.Cleanup(func() { _ = c.Close() }) // before it is unmounted
				reads := func(name, text string) {
					t.Helper()
					got, err := afero.ReadFile(c, "/"+name)
					require.NoError(t, err)
					require.Equal(t, text, string(got))
				}
				for range 2 { // one evicts the other
					for _, name := range pair {
						reads(name, name)
						require.NoError(t, c.Fetch(t.Context(), name))
						reads(name, name)
						require.LessOrEqual(t, c.Stats().UsedBytes, longest)
					}
				}
				require.NoError(t, c.Close())
				c, err = New(remote, local, nil)
				require.NoError(t, err)
				require.NoError(t, c.Fetch(t.Context(), pair[0]))
				require.NoError(t, c.Fetch(t.Context(), pair[1]))
				require.NoError(t, c.Evict(pair[0]))
				status, err := c.Status(pair[1])
				require.NoError(t, err)
				require.Equal(t, Owned, status.State)
				require.NoError(t, afero.WriteFile(c, pair[1], []byte("new"), 0o644))
				reads(pair[0], pair[0])
				reads(pair[1], "new")
				require.NoError(t, c.Rename(pair[1], pair[0]))
				reads(pair[0], "new")
				_, err = c.Stat(pair[1])
				require.ErrorIs(t, err, fs.ErrNotExist)
				require.NoError(t, c.Close())
			}
		})
	}
}

// TestUsersFileOfAnotherSpelling has a file that was put into the local directory by hand stand where a file of the
// remote would fold onto it.
func TestUsersFileOfAnotherSpelling(t *testing.T) {
	t.Parallel()
	for i, kind := range foldfs.Kinds {
		t.Run(fmt.Sprint(i, kind.Name), func(t *testing.T) {
			t.Parallel()
			remote, local := afero.NewMemMapFs(), kind.New(t)
			require.NoError(t, afero.WriteFile(remote, "/Report.txt", []byte("theirs"), 0o644))
			require.NoError(t, afero.WriteFile(local, "/report.txt", []byte("mine"), 0o644))
			c, err := New(remote, local, nil)
			require.NoError(t, err)
			defer c.Close()
			for name, want := range map[string]string{"/Report.txt": "theirs", "/report.txt": "mine"} {
				got, err := afero.ReadFile(c, name)
				require.NoError(t, err)
				require.Equal(t, want, string(got))
			}
			got, err := afero.ReadFile(local, "/report.txt")
			require.NoError(t, err)
			require.Equal(t, "mine", string(got))
			infos, err := afero.ReadDir(c, "/")
			require.NoError(t, err)
			require.Len(t, infos, 2)
		})
	}
}
