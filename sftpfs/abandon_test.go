package sftpfs_test

import (
	"context"
	"io/fs"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// openCount is a served tree that knows how many of its files are open.
type openCount struct {
	afero.Fs
	open, opened atomic.Int64
}

func (c *openCount) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := c.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	c.opened.Add(1)
	return &countedFile{f, c}, nil
}

type countedFile struct {
	afero.File
	count *openCount
}

func (f *countedFile) Close() error {
	f.count.open.Add(-1)
	return f.File.Close()
}

// A file that is opened after its caller has gone is closed again.
func TestAbandonedOpenIsClosed(t *testing.T) {
	t.Parallel()
	tree := &openCount{Fs: afero.NewMemMapFs()}
	server := newServer(t, &sftptest.Options{Fs: tree})
	fsys := newFs(t, server.Config())
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o666))
	before := tree.opened.Load()

	server.Freeze()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	f, err := fsys.WithContext(ctx).Open("f")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Nil(t, f)
	server.Thaw()
	require.Eventually(t, func() bool { return tree.opened.Load() == before+1 && tree.open.Load() == 0 }, soon, time.Millisecond)
}

// A call that has ended sends nothing more, however many requests it had still to send.
func TestAbandonedCallStops(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	fsys := newFs(t, server.Config())
	require.NoError(t, fsys.MkdirAll("a/b", 0o777))
	require.NoError(t, afero.WriteFile(fsys, "a/f", nil, 0o666))

	server.Freeze()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, fsys.WithContext(ctx).RemoveAll("a"), context.DeadlineExceeded)
	require.ErrorIs(t, fsys.WithContext(ctx).Rename("a/f", "a/g"), context.DeadlineExceeded)
	server.Thaw()
	// The server answers in order, so what the call had sent is done when this is.
	for _, name := range []string{"a/b", "a/f"} {
		_, err := fsys.Stat(name)
		require.NoError(t, err)
	}
}

// A buffer is the caller's again once the call has returned, whatever arrives for it later.
func TestAbandonedReadKeepsBuffer(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	fsys := newFs(t, server.Config())
	require.NoError(t, afero.WriteFile(fsys, "f", random(1<<20), 0o666))
	ctx, cancel := context.WithCancel(context.Background())
	f, err := fsys.WithContext(ctx).Open("f")
	require.NoError(t, err)
	server.Freeze()
	b := make([]byte, 1<<20)
	done := make(chan error, 1)
	go func() {
		_, err := f.ReadAt(b, 0)
		done <- err
	}()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	server.Thaw()
	_, err = fsys.Stat("f")
	require.NoError(t, err)
	require.Equal(t, make([]byte, 1<<20), b)
}
