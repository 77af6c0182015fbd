package mirror

import (
	"context"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// abandoning gives a remote that knows no contexts calls that end with one: a call that is under way then is left to
// itself, and what it opens too late is closed. Its goroutine lasts as long as the remote takes.
type abandoning struct {
	ctx  context.Context
	base afero.Fs
}

var (
	_ afero.Fs        = abandoning{}
	_ afero.Symlinker = abandoning{}
)

// await runs a call until it ends or ctx does. late gets the result of a call that was left to itself, if that
// succeeded; it may be nil.
func await[T any](ctx context.Context, call func() (T, error), late func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	done := make(chan result)
	go func() {
		v, err := call()
		select {
		case done <- result{v, err}:
		case <-ctx.Done():
			if err == nil && late != nil {
				late(v)
			}
		}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return zero, ctx.Err()
	}
}

// finish is await for a call that has only an error.
func finish(ctx context.Context, call func() error) error {
	_, err := await(ctx, func() (struct{}, error) { return struct{}{}, call() }, nil)
	return err
}

func (a abandoning) Name() string { return a.base.Name() }

func (a abandoning) open(call func() (afero.File, error), late func()) (afero.File, error) {
	f, err := await(a.ctx, call, func(f afero.File) {
		_ = f.Close()
		late()
	})
	if err != nil {
		return nil, err
	}
	return abandoningFile{a.ctx, f, new(sync.RWMutex)}, nil
}

func (a abandoning) Create(name string) (afero.File, error) {
	return a.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (a abandoning) Open(name string) (afero.File, error) {
	return a.open(func() (afero.File, error) { return a.base.Open(name) }, func() {})
}

func (a abandoning) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	return a.open(func() (afero.File, error) { return a.base.OpenFile(name, flag, perm) }, func() {
		// A temporary file that was made too late to be found by who sweeps them.
		if flag&os.O_CREATE != 0 && localdir.Reserved(path.Base(name)) {
			_ = a.base.Remove(name)
		}
	})
}

func (a abandoning) Mkdir(name string, perm fs.FileMode) error {
	return finish(a.ctx, func() error { return a.base.Mkdir(name, perm) })
}

func (a abandoning) MkdirAll(name string, perm fs.FileMode) error {
	return finish(a.ctx, func() error { return a.base.MkdirAll(name, perm) })
}

func (a abandoning) Remove(name string) error {
	return finish(a.ctx, func() error { return a.base.Remove(name) })
}

func (a abandoning) RemoveAll(name string) error {
	return finish(a.ctx, func() error { return a.base.RemoveAll(name) })
}

func (a abandoning) Rename(oldname, newname string) error {
	return finish(a.ctx, func() error { return a.base.Rename(oldname, newname) })
}

func (a abandoning) Stat(name string) (fs.FileInfo, error) {
	return await(a.ctx, func() (fs.FileInfo, error) { return a.base.Stat(name) }, nil)
}

func (a abandoning) Chmod(name string, mode fs.FileMode) error {
	return finish(a.ctx, func() error { return a.base.Chmod(name, mode) })
}

func (a abandoning) Chown(name string, uid, gid int) error {
	return finish(a.ctx, func() error { return a.base.Chown(name, uid, gid) })
}

func (a abandoning) Chtimes(name string, atime, mtime time.Time) error {
	return finish(a.ctx, func() error { return a.base.Chtimes(name, atime, mtime) })
}

func (a abandoning) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	l, ok := a.base.(afero.Lstater)
	if !ok {
		fi, err := a.Stat(name)
		return fi, false, err
	}
	fi, err := await(a.ctx, func() (fi fs.FileInfo, err error) {
		fi, _, err = l.LstatIfPossible(name)
		return fi, err
	}, nil)
	return fi, true, err
}

func (a abandoning) SymlinkIfPossible(oldname, newname string) error {
	l, ok := a.base.(afero.Linker)
	if !ok {
		return afero.ErrNoSymlink
	}
	return finish(a.ctx, func() error { return l.SymlinkIfPossible(oldname, newname) })
}

func (a abandoning) ReadlinkIfPossible(name string) (string, error) {
	l, ok := a.base.(afero.LinkReader)
	if !ok {
		return "", afero.ErrNoReadlink
	}
	return await(a.ctx, func() (string, error) { return l.ReadlinkIfPossible(name) }, nil)
}

// abandoningFile is an open file whose calls end with a context. Buffers are its own while a call runs: one that was
// left to itself must not touch the caller's.
type abandoningFile struct {
	ctx  context.Context
	base afero.File
	// calls is held for reading by those that run, also when they were left to themselves, and by Close for writing:
	// a file is not closed under them.
	calls *sync.RWMutex
}

var _ afero.File = abandoningFile{}

func (f abandoningFile) Name() string { return f.base.Name() }

// closeGrace is how long a file that is closed is waited for once the context has ended.
const closeGrace = 250 * time.Millisecond

// Close closes the file even if the context has ended, but does not wait long for that then.
func (f abandoningFile) Close() error {
	done := make(chan error, 1)
	go func() {
		f.calls.Lock()
		defer f.calls.Unlock()
		done <- f.base.Close()
	}()
	select {
	case err := <-done:
		return err
	case <-f.ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(closeGrace):
		return f.ctx.Err()
	}
}

// part is what a call returns that may return something beside an error.
type part[T any] struct {
	value T
	err   error
}

func partly[T any](f abandoningFile, call func() (T, error)) (T, error) {
	p, err := await(f.ctx, running(f, func() (part[T], error) {
		v, err := call()
		return part[T]{v, err}, nil
	}), nil)
	if err != nil {
		return p.value, err
	}
	return p.value, p.err
}

// running makes a call one that Close waits for.
func running[T any](f abandoningFile, call func() (T, error)) func() (T, error) {
	return func() (T, error) {
		f.calls.RLock()
		defer f.calls.RUnlock()
		return call()
	}
}

func (f abandoningFile) finish(call func() error) error {
	_, err := await(f.ctx, running(f, func() (struct{}, error) { return struct{}{}, call() }), nil)
	return err
}

func (f abandoningFile) read(p []byte, read func(own []byte) (int, error)) (int, error) {
	own, err := partly(f, func() ([]byte, error) {
		own := borrow(len(p))
		n, err := read(own)
		return own[:max(n, 0)], err
	})
	n := copy(p, own)
	giveBack(own)
	return n, err
}

func (f abandoningFile) Read(p []byte) (int, error) { return f.read(p, f.base.Read) }

func (f abandoningFile) ReadAt(p []byte, off int64) (int, error) {
	return f.read(p, func(own []byte) (int, error) { return f.base.ReadAt(own, off) })
}

func (f abandoningFile) write(p []byte, write func(own []byte) (int, error)) (int, error) {
	own := append([]byte(nil), p...)
	return partly(f, func() (int, error) { return write(own) })
}

func (f abandoningFile) Write(p []byte) (int, error) { return f.write(p, f.base.Write) }

func (f abandoningFile) WriteAt(p []byte, off int64) (int, error) {
	return f.write(p, func(own []byte) (int, error) { return f.base.WriteAt(own, off) })
}

func (f abandoningFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f abandoningFile) Seek(offset int64, whence int) (int64, error) {
	return await(f.ctx, running(f, func() (int64, error) { return f.base.Seek(offset, whence) }), nil)
}

func (f abandoningFile) Readdir(count int) ([]fs.FileInfo, error) {
	return partly(f, func() ([]fs.FileInfo, error) { return f.base.Readdir(count) })
}

func (f abandoningFile) Readdirnames(count int) ([]string, error) {
	return partly(f, func() ([]string, error) { return f.base.Readdirnames(count) })
}

func (f abandoningFile) Stat() (fs.FileInfo, error) {
	return await(f.ctx, running(f, f.base.Stat), nil)
}

func (f abandoningFile) Sync() error { return f.finish(f.base.Sync) }

func (f abandoningFile) Truncate(size int64) error {
	return f.finish(func() error { return f.base.Truncate(size) })
}
