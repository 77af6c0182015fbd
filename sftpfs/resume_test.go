package sftpfs_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A reader goes on where it was when the connection is lost under it.
func TestReadGoesOn(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	fsys := newFs(t, server.Config())
	content := random(size)
	require.NoError(t, afero.WriteFile(fsys, "f", content, 0o666))

	f, err := fsys.Open("f")
	require.NoError(t, err)
	var got bytes.Buffer
	var drop sync.Once
	_, err = io.Copy(writerFunc(func(b []byte) (int, error) {
		drop.Do(server.Disconnect)
		return got.Write(b)
	}), f)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got.Bytes()))

	server.Disconnect()
	fi, err := f.Stat()
	require.NoError(t, err)
	require.EqualValues(t, size, fi.Size())
	server.Disconnect()
	at, err := f.Seek(-10, io.SeekEnd)
	require.NoError(t, err)
	require.EqualValues(t, size-10, at)
	server.Disconnect()
	rest, err := io.ReadAll(struct{ io.Reader }{f})
	require.NoError(t, err)
	require.Equal(t, content[size-10:], rest)
	require.NoError(t, f.Close())
}

// Readers in parallel share the new handle.
func TestReadersGoOnTogether(t *testing.T) {
	t.Parallel()
	tree := &openCount{Fs: afero.NewMemMapFs()}
	server := newServer(t, &sftptest.Options{Fs: tree})
	fsys := newFs(t, server.Config())
	content := random(1 << 20)
	require.NoError(t, afero.WriteFile(fsys, "f", content, 0o666))
	f, err := fsys.Open("f")
	require.NoError(t, err)
	_, err = f.Stat()
	require.NoError(t, err)
	before := tree.opened.Load()
	server.Disconnect()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			b := make([]byte, 1<<16)
			if _, err := f.ReadAt(b, int64(i)<<16); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(content[i<<16:(i+1)<<16], b) {
				t.Error("other bytes")
			}
		})
	}
	wg.Wait()
	require.Equal(t, before+1, tree.opened.Load())
	require.NoError(t, f.Close())
	require.Eventually(t, func() bool { return tree.open.Load() == 0 }, soon, time.Millisecond)
}

// What is there after the loss must be what was there before.
func TestReadGoesOnWithTheSameVersionAlone(t *testing.T) {
	t.Parallel()
	when := time.Unix(1e9, 0)
	for name, change := range map[string]func(fsys afero.Fs) error{
		"another size": func(fsys afero.Fs) error {
			err := afero.WriteFile(fsys, "f", []byte("other content"), 0o666)
			if err == nil {
				err = fsys.Chtimes("f", when, when)
			}
			return err
		},
		"another time": func(fsys afero.Fs) error { return fsys.Chtimes("f", when, when.Add(time.Second)) },
		"removed":      func(fsys afero.Fs) error { return fsys.Remove("f") },
		"a directory": func(fsys afero.Fs) error {
			err := fsys.Remove("f")
			if err == nil {
				err = fsys.Mkdir("f", 0o777)
			}
			return err
		},
	} {
		server := newServer(t, nil)
		fsys := newFs(t, server.Config())
		require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o666))
		require.NoError(t, fsys.Chtimes("f", when, when))
		f, err := fsys.Open("f")
		require.NoError(t, err)
		_, err = f.Stat()
		require.NoError(t, err)
		server.Disconnect()
		require.Eventually(t, func() bool { return change(fsys) == nil }, soon, time.Millisecond, name)
		_, err = f.Read(make([]byte, 10))
		require.ErrorIs(t, err, sftpfs.ErrUnavailable, name)
		require.NotErrorIs(t, err, fs.ErrNotExist, name)
		require.NoError(t, f.Close(), name)
	}
}

// Nobody knows what an unasked file was, and a file that is written is never opened anew.
func TestNoReadGoesOn(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	fsys := newFs(t, server.Config())
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o666))
	unasked, err := fsys.Open("f")
	require.NoError(t, err)
	written, err := fsys.OpenFile("f", os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = written.Stat()
	require.NoError(t, err)
	server.Disconnect()
	for _, f := range []afero.File{unasked, written} {
		_, err = f.Read(make([]byte, 10))
		require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	}
}
