//go:build unix

package localdir

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPipe checks that a named pipe in the place of a file or directory does not make a call wait for its other end.
func TestPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	for _, fsys := range []struct {
		name string
		dir  *Dir
	}{{"real", open(t, osDir(dir))}, {"hidden", open(t, hidden{osDir(dir)})}} {
		t.Run(fsys.name, func(t *testing.T) {
			d := fsys.dir
			for _, flag := range []int{os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREATE | os.O_TRUNC} {
				_, err := d.OpenFile("pipe", flag, 0o600)
				require.ErrorIs(t, err, fs.ErrInvalid)
				class(t, err)
			}
			_, err := d.OpenFile("pipe", os.O_WRONLY, 0o600)
			require.Error(t, err)
			_, err = d.ReadDir("pipe")
			require.ErrorIs(t, err, syscall.ENOTDIR)
			require.ErrorIs(t, d.SyncDir("pipe"), syscall.ENOTDIR)
		})
	}
}
