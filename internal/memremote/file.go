package memremote

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// file is an open file: a position over one that has none.
type file struct {
	fsys *Fs
	name string // as it was opened
	flag int
	f    *localdir.File

	mu  sync.Mutex // guards off
	off int64
}

var _ afero.File = (*file)(nil)

func (f *file) fail(op string, err error) error { return pathError(op, f.name, err) }

func (f *file) Name() string { return f.name }

func (f *file) Close() error { return f.fail("close", f.f.Close()) }

func (f *file) Sync() error { return f.fail("sync", f.f.Sync()) }

func (f *file) Stat() (fs.FileInfo, error) {
	i, err := f.f.Stat()
	if err != nil {
		return nil, f.fail("stat", err)
	}
	i.Name = base(f.name)
	return info{i}, nil
}

func (f *file) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.f.ReadAt(p, f.off)
	f.off += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, f.fail("read", err)
}

// ReadsAtOnce says that ReadAt does not move the position, as that of the files below does.
func (f *file) ReadsAtOnce() bool { return true }

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.f.ReadAt(p, off)
	return n, f.fail("read", err)
}

func (f *file) Write(p []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flag&os.O_APPEND != 0 {
		f.fsys.ends.Lock()
		defer f.fsys.ends.Unlock()
		i, err := f.f.Stat()
		if err != nil {
			return 0, f.fail("write", err)
		}
		f.off = i.Size()
	} else {
		f.fsys.ends.RLock()
		defer f.fsys.ends.RUnlock()
	}
	n, err = f.f.WriteAt(p, f.off)
	f.off += int64(n)
	return n, f.fail("write", err)
}

func (f *file) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

var errAppend = errors.New("invalid use of WriteAt on file opened with O_APPEND")

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if f.flag&os.O_APPEND != 0 {
		return 0, f.fail("write", errAppend)
	}
	f.fsys.ends.RLock()
	defer f.fsys.ends.RUnlock()
	n, err := f.f.WriteAt(p, off)
	return n, f.fail("write", err)
}

func (f *file) Truncate(size int64) error {
	f.fsys.ends.RLock()
	defer f.fsys.ends.RUnlock()
	return f.fail("truncate", f.f.Truncate(size))
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.f.Stat()
	switch {
	case err != nil:
		return 0, f.fail("seek", err)
	case whence == io.SeekCurrent:
		offset += f.off
	case whence == io.SeekEnd:
		offset += i.Size()
	case whence != io.SeekStart:
		return 0, f.fail("seek", syscall.EINVAL)
	}
	if offset < 0 {
		return 0, f.fail("seek", syscall.EINVAL)
	}
	f.off = offset
	return offset, nil
}

func (f *file) Readdir(int) ([]fs.FileInfo, error) { return nil, f.notDir() }

func (f *file) Readdirnames(int) ([]string, error) { return nil, f.notDir() }

func (f *file) notDir() error {
	_, err := f.f.Stat()
	if err == nil {
		err = syscall.ENOTDIR
	}
	return f.fail("readdir", err)
}
