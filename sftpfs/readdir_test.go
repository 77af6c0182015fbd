package sftpfs_test

import (
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

func TestReadDir(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]func(t *testing.T) sftpfs.Config{
		"inside":  func(t *testing.T) sftpfs.Config { return newServer(t, nil).Config() },
		"OpenSSH": func(t *testing.T) sftpfs.Config { return openSSHConfig(opensshtest.Start(t, opensshtest.Options{})) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := newFs(t, cfg(t))
			require.NoError(t, fsys.MkdirAll("d/empty", 0o755))
			require.NoError(t, afero.WriteFile(fsys, "d/f", []byte("text"), 0o644))

			entries, err := fsys.ReadDir("d")
			require.NoError(t, err)
			d, err := fsys.Open("d")
			require.NoError(t, err)
			want, err := d.Readdir(-1)
			require.NoError(t, err)
			require.NoError(t, d.Close())
			require.Len(t, entries, 2)
			require.Equal(t, want, entries)

			entries, err = fsys.ReadDir("d/empty")
			require.NoError(t, err)
			require.Equal(t, []fs.FileInfo{}, entries)

			_, err = fsys.ReadDir("d/f")
			require.ErrorIs(t, err, syscall.ENOTDIR)
			require.ErrorAs(t, err, new(*os.PathError))
			_, err = fsys.ReadDir("d/missing")
			require.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
}
