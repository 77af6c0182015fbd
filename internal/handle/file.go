package handle

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// Content is the content of a File. Its errors need not name operation and path.
type Content interface {
	// ReadAt reads until p is full, as io.ReaderAt says.
	ReadAt(p []byte, off int64) (int, error)
	// ReadSome reads at least one byte, and what else can be had without waiting.
	ReadSome(p []byte, off int64) (int, error)
	Size() (int64, error)
	// Stat describes the file under the name that it was opened with.
	Stat(name string) (fs.FileInfo, error)

	// The File is locked while it calls the following methods.

	// Change runs do, which writes to the file. If alone is set, no other change of the file runs meanwhile.
	Change(alone bool, do func(*localdir.File) (int, error)) (int, error)
	Sync() error
	Close() error
}

// File is an open file. It keeps its position itself, and all I/O below is positional, so every file system behaves
// alike. Safe for concurrent use. Rank is the rank of its lock, which is held during I/O, except for that of ReadAt.
type File[Rank lockorder.Rank] struct {
	content Content
	name    string // as it was opened
	flag    int
	closed  atomic.Bool

	mu   lockorder.Mutex[Rank] // guards the fields below; held while the position is used
	off  int64
	full bool // see NewFull
}

// New returns a handle on a file that was opened with this name and flag.
func New[Rank lockorder.Rank](content Content, name string, flag int) *File[Rank] {
	return &File[Rank]{content: content, name: name, flag: flag}
}

// NewFull is New for a file that is opened with O_TRUNC and still has its bytes. Empty removes them.
func NewFull[Rank lockorder.Rank](content Content, name string, flag int) *File[Rank] {
	f := New[Rank](content, name, flag)
	f.full = true
	return f
}

// Empty removes the bytes of a file that NewFull has made. After an error the handle is closed.
func (f *File[Rank]) Empty() error {
	f.mu.Lock()
	var err error
	if f.full {
		_, err = f.content.Change(true, func(local *localdir.File) (int, error) { return 0, local.Truncate(0) })
		f.full = false
	}
	f.mu.Unlock()
	if err != nil {
		err = errors.Join(err, f.Close())
	}
	return err
}

func (f *File[Rank]) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return oserr.Path(op, f.name, err)
}

// Writable reports whether a flag opens a file for writing.
func Writable(flag int) bool { return flag&(os.O_WRONLY|os.O_RDWR) != 0 }

// usable returns nil if the handle is open for writing, or, if write is not set, for reading.
func (f *File[Rank]) usable(write bool) error {
	switch {
	case f.closed.Load():
		return fs.ErrClosed
	case write && !Writable(f.flag), !write && f.flag&os.O_WRONLY != 0:
		return syscall.EBADF
	}
	return nil
}

// Name returns the name that the file was opened with.
func (f *File[Rank]) Name() string { return f.name }

// Read reads from the handle's position.
func (f *File[Rank]) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(false); err != nil {
		return 0, f.fail("read", err)
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := f.content.ReadSome(p, f.off)
	f.off += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, f.fail("read", err)
}

// ReadsAtOnce returns true: ReadAt does not move the position.
func (f *File[Rank]) ReadsAtOnce() bool { return true }

// ReadAt implements io.ReaderAt.
func (f *File[Rank]) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, f.fail("readat", fs.ErrInvalid)
	}
	if err := f.usable(false); err != nil {
		return 0, f.fail("read", err)
	}
	n, err := f.content.ReadAt(p, off)
	return n, f.fail("read", err)
}

// Seek sets the position of the next Read or Write.
func (f *File[Rank]) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() {
		return 0, f.fail("seek", fs.ErrClosed)
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.off
	case io.SeekEnd:
		size, err := f.content.Size()
		if err != nil {
			return 0, f.fail("seek", err)
		}
		offset += size
	default:
		return 0, f.fail("seek", syscall.EINVAL)
	}
	if offset < 0 {
		return 0, f.fail("seek", syscall.EINVAL)
	}
	f.off = offset
	return offset, nil
}

// Write writes at the handle's position, or at the end of a file opened with O_APPEND.
func (f *File[Rank]) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	appends := f.flag&os.O_APPEND != 0 && len(p) > 0
	n, err := f.change(appends, func(local *localdir.File) (int, error) {
		if appends {
			info, err := local.Stat()
			if err != nil {
				return 0, err
			}
			f.off = info.Size()
		}
		return local.WriteAt(p, f.off)
	})
	f.off += int64(n)
	return n, f.fail("write", err)
}

// WriteString is Write for a string.
func (f *File[Rank]) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt implements io.WriterAt. It fails on a file opened with O_APPEND.
func (f *File[Rank]) WriteAt(p []byte, off int64) (int, error) {
	if f.flag&os.O_APPEND != 0 {
		return 0, f.fail("writeat", errAppend)
	}
	if off < 0 {
		return 0, f.fail("writeat", fs.ErrInvalid)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.change(false, func(local *localdir.File) (int, error) { return local.WriteAt(p, off) })
	return n, f.fail("write", err)
}

var errAppend = errors.New("invalid use of WriteAt on file opened with O_APPEND")

// Truncate changes the size.
func (f *File[Rank]) Truncate(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.usable(true)
	if err == syscall.EBADF {
		err = syscall.EINVAL // as ftruncate(2)
	}
	if err == nil && size < 0 {
		err = syscall.EINVAL
	}
	if err == nil {
		_, err = f.change(true, func(local *localdir.File) (int, error) { return 0, local.Truncate(size) })
	}
	return f.fail("truncate", err)
}

func (f *File[Rank]) change(alone bool, do func(*localdir.File) (int, error)) (int, error) {
	if err := f.usable(true); err != nil {
		return 0, err
	}
	return f.content.Change(alone, do)
}

// Stat describes the open file, whatever its name is now.
func (f *File[Rank]) Stat() (fs.FileInfo, error) {
	if f.closed.Load() {
		return nil, f.fail("stat", fs.ErrClosed)
	}
	info, err := f.content.Stat(f.name)
	if err != nil {
		return nil, f.fail("stat", err)
	}
	return info, nil
}

// Sync makes what was written survive a loss of power, as far as the file system below can.
func (f *File[Rank]) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() {
		return f.fail("sync", fs.ErrClosed)
	}
	return f.fail("sync", f.content.Sync())
}

// Close closes the handle.
func (f *File[Rank]) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Swap(true) {
		return f.fail("close", fs.ErrClosed)
	}
	return f.fail("close", f.content.Close())
}

// Readdir fails: this is a file.
func (f *File[Rank]) Readdir(int) ([]fs.FileInfo, error) { return nil, f.notDir() }

// Readdirnames fails: this is a file.
func (f *File[Rank]) Readdirnames(int) ([]string, error) { return nil, f.notDir() }

func (f *File[Rank]) notDir() error {
	if f.closed.Load() {
		return f.fail("readdir", fs.ErrClosed)
	}
	return f.fail("readdir", syscall.ENOTDIR)
}
