package remote

import (
	"cmp"
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/abandon"
	"github.com/sftpsyncer/go-syncfs/internal/buffers"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// abandoning makes the calls of a remote that does not support contexts end with a context. A call that is running at
// that time is abandoned: its goroutine continues until the remote returns, and a file that is opened too late is
// closed.
type abandoning struct {
	ctx   context.Context
	base  afero.Fs
	calls *abandon.Calls // calls that change the remote
}

// It has all optional methods, but they are only used if base has them: see Optional.
var (
	_ afero.Fs        = abandoning{}
	_ afero.Symlinker = abandoning{}
)

// await is [abandon.Await], but it does not begin the call if the context has ended.
func await[T any](ctx context.Context, calls *abandon.Calls, call func() (T, error), late func(T)) (T, error) {
	if err := ctx.Err(); err != nil {
		var zero T
		return zero, err
	}
	return abandon.Await(ctx, calls, call, late)
}

// finish is await for a call that returns only an error.
func finish(ctx context.Context, calls *abandon.Calls, call func() error) error {
	_, err := await(ctx, calls, func() (struct{}, error) { return struct{}{}, call() }, nil)
	return err
}

// Await runs a call that changes nothing, and returns its result, or ctx's error when ctx ends. An abandoned call need
// not be waited for. It must not touch memory of the caller, which continues meanwhile.
func Await[T any](ctx context.Context, call func() (T, error)) (T, error) {
	return await(ctx, nil, call, nil)
}

func (a abandoning) Name() string { return a.base.Name() }

func (a abandoning) open(calls *abandon.Calls, call func() (afero.File, error), late func()) (afero.File, error) {
	f, err := await(a.ctx, calls, call, func(f afero.File) {
		_ = f.Close()
		late()
	})
	if err != nil {
		return nil, err
	}
	return abandoningFile{a.ctx, f, calls, new(sync.RWMutex)}, nil
}

func (a abandoning) Create(name string) (afero.File, error) {
	return a.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (a abandoning) Open(name string) (afero.File, error) {
	return a.open(nil, func() (afero.File, error) { return a.base.Open(name) }, func() {})
}

func (a abandoning) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	calls := a.calls
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC) == 0 {
		calls = nil
	}
	return a.open(calls, func() (afero.File, error) { return a.base.OpenFile(name, flag, perm) }, func() {
		// A temporary file that was created too late for the cleanup to find it.
		if flag&os.O_CREATE != 0 && localdir.Reserved(path.Base(name)) {
			_ = a.base.Remove(name)
		}
	})
}

func (a abandoning) Mkdir(name string, perm fs.FileMode) error {
	return finish(a.ctx, a.calls, func() error { return a.base.Mkdir(name, perm) })
}

func (a abandoning) MkdirAll(name string, perm fs.FileMode) error {
	return finish(a.ctx, a.calls, func() error { return a.base.MkdirAll(name, perm) })
}

func (a abandoning) Remove(name string) error {
	return finish(a.ctx, a.calls, func() error { return a.base.Remove(name) })
}

func (a abandoning) RemoveAll(name string) error {
	return finish(a.ctx, a.calls, func() error { return a.base.RemoveAll(name) })
}

func (a abandoning) Rename(oldname, newname string) error {
	return finish(a.ctx, a.calls, func() error { return a.base.Rename(oldname, newname) })
}

func (a abandoning) Stat(name string) (fs.FileInfo, error) {
	return Await(a.ctx, func() (fs.FileInfo, error) { return a.base.Stat(name) })
}

func (a abandoning) Chmod(name string, mode fs.FileMode) error {
	return finish(a.ctx, a.calls, func() error { return a.base.Chmod(name, mode) })
}

func (a abandoning) Chown(name string, uid, gid int) error {
	return finish(a.ctx, a.calls, func() error { return a.base.Chown(name, uid, gid) })
}

func (a abandoning) Chtimes(name string, atime, mtime time.Time) error {
	return finish(a.ctx, a.calls, func() error { return a.base.Chtimes(name, atime, mtime) })
}

func (a abandoning) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, err := Await(a.ctx, func() (fi fs.FileInfo, err error) {
		fi, _, err = a.base.(afero.Lstater).LstatIfPossible(name)
		return fi, err
	})
	return fi, true, err
}

func (a abandoning) SymlinkIfPossible(oldname, newname string) error {
	return finish(a.ctx, a.calls, func() error { return a.base.(afero.Linker).SymlinkIfPossible(oldname, newname) })
}

func (a abandoning) ReadlinkIfPossible(name string) (string, error) {
	return Await(a.ctx, func() (string, error) { return a.base.(afero.LinkReader).ReadlinkIfPossible(name) })
}

func (a abandoning) ReadDir(name string) ([]fs.FileInfo, error) {
	return Await(a.ctx, func() ([]fs.FileInfo, error) { return a.base.(contract.DirReader).ReadDir(name) })
}

func (a abandoning) ReplaceFile(oldname, newname string) error {
	return finish(a.ctx, a.calls, func() error { return a.base.(contract.FileReplacer).ReplaceFile(oldname, newname) })
}

func (a abandoning) MakeDir(name string, perm fs.FileMode) (fs.FileInfo, error) {
	made, err := await(a.ctx, a.calls, func() (p part[fs.FileInfo], err error) {
		p.value, p.err = a.base.(contract.DirMaker).MakeDir(name, perm)
		return p, nil
	}, nil)
	return made.value, cmp.Or(err, made.err)
}

func (a abandoning) ReadVersion(name string, size int64, mtime time.Time) ([]byte, fs.FileInfo, error) {
	type version struct {
		content []byte
		info    fs.FileInfo
	}
	v, err := await(a.ctx, nil, func() (v version, err error) {
		v.content, v.info, err = a.base.(contract.VersionReader).ReadVersion(name, size, mtime)
		return v, err
	}, nil)
	return v.content, v.info, err
}

func (a abandoning) Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
	staged, there fs.FileInfo, err error) {
	infos, err := await(a.ctx, a.calls, func() (infos [2]fs.FileInfo, err error) {
		infos[0], infos[1], err = a.base.(contract.Stager).Stage(name, content, mode, atime, mtime, target)
		return infos, err
	}, nil)
	return infos[0], infos[1], err
}

func (a abandoning) KeepsContent() bool {
	return a.base.(contract.ContentKeeper).KeepsContent()
}

func (a abandoning) KeepsTimes() bool { return a.base.(contract.TimeKeeper).KeepsTimes() }

// abandoningFile is an open file whose calls end with a context. Each call uses a buffer of its own, because an
// abandoned call must not touch the caller's.
type abandoningFile struct {
	ctx   context.Context
	base  afero.File
	calls *abandon.Calls // nil for a file that is only read
	// using is read-locked by the running calls, abandoned or not, and write-locked by Close, which must not close the
	// file during a call.
	using *sync.RWMutex
}

var _ afero.File = abandoningFile{}

func (f abandoningFile) Name() string { return f.base.Name() }

// closeGrace is how long Close waits for the remote after the context has ended.
const closeGrace = 250 * time.Millisecond

// Close closes the file even if the context has ended. Then it waits only closeGrace for that.
func (f abandoningFile) Close() error {
	done, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		f.using.Lock()
		defer f.using.Unlock()
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
		f.calls.Add(ended)
		return f.ctx.Err()
	}
}

// part is the result of a call that may return a value together with an error.
type part[T any] struct {
	value T
	err   error
}

func partly[T any](f abandoningFile, call func() (T, error)) (T, error) {
	p, err := await(f.ctx, f.calls, running(f, func() (part[T], error) {
		v, err := call()
		return part[T]{v, err}, nil
	}), nil)
	if err != nil {
		return p.value, err
	}
	return p.value, p.err
}

// running makes Close wait for a call.
func running[T any](f abandoningFile, call func() (T, error)) func() (T, error) {
	return func() (T, error) {
		f.using.RLock()
		defer f.using.RUnlock()
		return call()
	}
}

func (f abandoningFile) finish(call func() error) error {
	_, err := await(f.ctx, f.calls, running(f, func() (struct{}, error) { return struct{}{}, call() }), nil)
	return err
}

func (f abandoningFile) read(p []byte, read func(own []byte) (int, error)) (int, error) {
	own, err := partly(f, func() ([]byte, error) {
		own := buffers.Borrow(len(p))
		n, err := read(own)
		return own[:max(n, 0)], err
	})
	n := copy(p, own)
	buffers.GiveBack(own)
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

// ReadFrom lets the file read from r itself, if it can. An abandoned call gets no more bytes of r.
func (f abandoningFile) ReadFrom(r io.Reader) (int64, error) {
	base, ok := f.base.(io.ReaderFrom)
	from, known := r.(sizedReader)
	if !ok || !known {
		return io.Copy(struct{ io.Writer }{f}, r)
	}
	g := &gate{ctx: f.ctx, from: from}
	n, err := partly(f, func() (int64, error) { return base.ReadFrom(g) })
	g.mu.Lock() // waits for the last read; none follows if ctx has ended
	defer g.mu.Unlock()
	return n, err
}

// WriteInOrder calls that method of the file.
func (f abandoningFile) WriteInOrder() { f.base.(contract.OrderedWriter).WriteInOrder() }

// Acknowledged calls that method of the file.
func (f abandoningFile) Acknowledged() int64 {
	return f.base.(contract.Acknowledger).Acknowledged()
}

// sizedReader is a reader of known length. Some files keep many writes in flight only for such a reader.
type sizedReader interface {
	io.Reader
	Size() int64
}

// gate is a reader that ends with a context.
type gate struct {
	ctx  context.Context
	mu   sync.Mutex // held while from is used
	from sizedReader
}

func (g *gate) Size() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.from.Size()
}

func (g *gate) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.ctx.Err(); err != nil {
		return 0, err
	}
	return g.from.Read(p)
}

func (f abandoningFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f abandoningFile) Seek(offset int64, whence int) (int64, error) {
	return Await(f.ctx, running(f, func() (int64, error) { return f.base.Seek(offset, whence) }))
}

func (f abandoningFile) Readdir(count int) ([]fs.FileInfo, error) {
	return partly(f, func() ([]fs.FileInfo, error) { return f.base.Readdir(count) })
}

func (f abandoningFile) Readdirnames(count int) ([]string, error) {
	return partly(f, func() ([]string, error) { return f.base.Readdirnames(count) })
}

func (f abandoningFile) Stat() (fs.FileInfo, error) {
	return Await(f.ctx, running(f, f.base.Stat))
}

func (f abandoningFile) Sync() error { return f.finish(f.base.Sync) }

func (f abandoningFile) Truncate(size int64) error {
	return f.finish(func() error { return f.base.Truncate(size) })
}
