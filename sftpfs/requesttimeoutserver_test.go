package sftpfs_test

import (
	"io/fs"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A hangingDir makes no directory before it may.
type hangingDir struct {
	afero.Fs
	let chan struct{}
}

func (f hangingDir) Mkdir(string, fs.FileMode) error { <-f.let; return nil }

func TestRequestTimeout(t *testing.T) {
	t.Parallel()
	tree := hangingDir{afero.NewMemMapFs(), make(chan struct{})}
	server := newServer(t, &sftptest.Options{Fs: tree})
	t.Cleanup(func() { close(tree.let) })
	cfg := server.Config()
	cfg.RequestTimeout = 100 * time.Millisecond
	fsys := newFs(t, cfg)
	err := fsys.Mkdir("n", 0o777)
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	require.ErrorContains(t, err, "no answer to a request for 100ms; the outcome is unknown")
	_, err = fsys.Stat("/")
	require.NoError(t, err)
}
