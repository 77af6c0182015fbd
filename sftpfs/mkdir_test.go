package sftpfs_test

import (
	"fmt"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// A root that the server does not have is made, with what it is in, by MkdirAll alone.
func TestMkdirAllMakesTheRoot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config func(t *testing.T) sftpfs.Config
	}{
		{"embedded", func(t *testing.T) sftpfs.Config { return newServer(t, nil).Config() }},
		{"OpenSSH", func(t *testing.T) sftpfs.Config { return openSSHConfig(opensshtest.Start(t, opensshtest.Options{})) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := c.config(t)
			above := newFs(t, cfg)
			for root, make := range map[string]string{"one": "/", "two/deep/root": "/", "three/root": "/d/e"} {
				cfg := cfg
				cfg.Root = path.Join(cfg.Root, root)
				fsys := newFs(t, cfg)
				_, err := fsys.Stat("/")
				require.ErrorIs(t, err, fs.ErrNotExist)
				require.ErrorIs(t, fsys.Mkdir("/x", 0o755), fs.ErrNotExist)
				require.NoError(t, fsys.MkdirAll(make, 0o755))
				require.NoError(t, fsys.MkdirAll(make, 0o755))
				require.NoError(t, afero.WriteFile(fsys, "/x", nil, 0o644))
				info, err := above.Stat(path.Join(root, "x"))
				require.NoError(t, err)
				require.True(t, info.Mode().IsRegular())
			}
		})
	}
}

// A directory is made also where its attributes are not told.
func TestMkdirWhereLooksAreRefused(t *testing.T) {
	t.Parallel()
	for _, refused := range []string{"lstat", "lstat,stat", "lstat,readlink", "lstat,stat,readlink,setstat"} {
		t.Run(refused, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(sftpServer); err != nil {
				t.Skip(err) // not installed
			}
			server := opensshtest.Start(t, opensshtest.Options{Subsystem: sftpServer, SFTPServerArgs: []string{"-P", refused}})
			fsys := newFs(t, openSSHConfig(server))
			for _, perm := range []fs.FileMode{0o777, 0o750} {
				name := fmt.Sprintf("%o", perm)
				require.NoError(t, fsys.Mkdir(name, perm))
				require.Error(t, fsys.Mkdir(name, perm))
				require.DirExists(t, filepath.Join(server.Root, name))
				fi, err := fsys.MakeDir(name+"+", perm)
				require.NoError(t, err)
				require.True(t, fi == nil || fi.IsDir())
			}
		})
	}
}
