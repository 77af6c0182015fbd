//go:build unix

package syncfs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

// A pipe or a socket on the server is seen, renamed and removed like a file. It is not opened, for the server would wait for
// who writes into it, and all that comes behind would too.
func TestSpecialFiles(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	for _, name := range []string{"syncfs", "cachefs"} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(server.Root, name)
			require.NoError(t, os.MkdirAll(filepath.Join(root, "d"), 0o755))
			require.NoError(t, syscall.Mkfifo(filepath.Join(root, "d", "pipe"), 0o666))
			socket, err := net.Listen("unix", filepath.Join(root, "d", "socket"))
			require.NoError(t, err)
			defer socket.Close()
			for i := range 200 {
				require.NoError(t, os.WriteFile(filepath.Join(root, "d", fmt.Sprint(i)), []byte("content"), 0o644))
			}
			remote := openssh(t, server, root, 0)
			local := realDir(t)

			var fs interface {
				afero.Fs
				Fetch(context.Context, string) error
				Close() error
			}
			results := map[string]error{}
			if name == "syncfs" {
				s, err := New(remote, local, nil)
				require.NoError(t, err)
				report, err := s.Pull(t.Context(), "/")
				require.NoError(t, err)
				for _, r := range report.Results {
					results[r.Name] = r.Err
				}
				fs = s
			} else {
				c, err := cachefs.New(remote, local, nil)
				require.NoError(t, err)
				report, err := c.Pull(t.Context(), "/")
				require.NoError(t, err)
				for _, r := range report.Results {
					results[r.Name] = r.Err
				}
				fs = c
			}
			defer func() { require.NoError(t, fs.Close()) }()
			require.Len(t, results, 202)
			maps.DeleteFunc(results, func(_ string, err error) bool { return err == nil })
			passed := slices.Sorted(maps.Keys(results))
			require.Equal(t, []string{"d/pipe", "d/socket"}, passed)

			fi, err := fs.Stat("d/pipe")
			require.NoError(t, err)
			require.NotZero(t, fi.Mode()&os.ModeNamedPipe)
			for _, special := range passed {
				require.ErrorIs(t, results[special], errors.ErrUnsupported)
				for _, flag := range []int{os.O_RDONLY, os.O_RDWR, os.O_WRONLY, os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_CREATE | os.O_TRUNC} {
					_, err := fs.OpenFile(special, flag, 0o644)
					require.ErrorIs(t, err, errors.ErrUnsupported, "%s %x", special, flag)
					require.ErrorContains(t, err, filepath.Base(special))
				}
				require.ErrorIs(t, fs.Fetch(t.Context(), special), errors.ErrUnsupported)
				_, err := local.Stat(special)
				require.ErrorIs(t, err, os.ErrNotExist)
			}
			require.NoError(t, fs.Rename("d/pipe", "renamed"))
			require.NoError(t, fs.Remove("d/socket"))
			if s, ok := fs.(*Fs); ok {
				_, err = s.Push(t.Context())
				require.NoError(t, err)
			}
			fi, err = os.Lstat(filepath.Join(root, "renamed"))
			require.NoError(t, err)
			require.NotZero(t, fi.Mode()&os.ModeNamedPipe)
			_, err = os.Lstat(filepath.Join(root, "d", "socket"))
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
}
