package sftpfs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// quirky returns an Fs on a server with the given characters, and the directory that the server serves.
func quirky(t testing.TB, characters ...sftptest.Character) (fsys *sftpfs.Fs, dir string) {
	t.Helper()
	dir = t.TempDir()
	return newFs(t, sftptest.Start(t, append(characters, serving(dir))...).Config()), dir
}

// serving serves a directory of this machine.
func serving(dir string) sftptest.Character {
	return func(o *sftptest.Options) { o.Fs = afero.NewBasePathFs(afero.NewOsFs(), dir) }
}

// refuse refuses requests of some kinds, which it does not hide from the announced extensions.
func refuse(status sftptest.Status, kinds ...sftptest.Kind) sftptest.Character {
	return sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		for _, kind := range kinds {
			if r.Kind == kind {
				return sftptest.Refuse(status, "")
			}
		}
		return r.Next()
	})
}

// putFile makes a file behind the server's back.
func putFile(t testing.TB, dir, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
}

// requireFile looks behind the server's back.
func requireFile(t testing.TB, dir, name, content string, mode fs.FileMode) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	require.Equal(t, content, string(got))
	fi, err := os.Stat(filepath.Join(dir, name))
	require.NoError(t, err)
	require.Equal(t, mode, fi.Mode())
}
