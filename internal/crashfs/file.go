package crashfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/spf13/afero"
)

// largest bounds the size of a file in bytes, because files are held in memory.
const largest = 4 << 30

// file is a handle. The mutex of fs guards the fields that change.
type file struct {
	fs   *Fs
	node *node
	name string // as it was opened
	flag int

	closed bool
	off    int64
	listed bool // of a directory: left has been filled
	left   []fs.FileInfo
}

var _ afero.File = (*file)(nil)

func (f *file) Name() string { return f.name }

// do runs call under the mutex, if the file is open.
func (f *file) do(op string, call func() error) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return pathError(op, f.name, fs.ErrClosed)
	}
	err := call()
	if err == io.EOF {
		return err
	}
	return pathError(op, f.name, err)
}

func (f *file) Read(p []byte) (n int, err error) {
	err = f.do("read", func() error {
		n, err = f.readAt(p, f.off)
		f.off += int64(n)
		return err
	})
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.do("read", func() error {
		if off < 0 {
			return fs.ErrInvalid
		}
		n, err = f.readAt(p, off)
		if err == nil && n < len(p) {
			err = io.EOF
		}
		return err
	})
	return n, err
}

func (f *file) readAt(p []byte, off int64) (int, error) {
	switch {
	case f.flag&os.O_WRONLY != 0:
		return 0, syscall.EBADF
	case f.node.isDir():
		return 0, syscall.EISDIR
	case len(p) == 0:
		return 0, nil
	case off >= int64(len(f.node.data)):
		return 0, io.EOF
	}
	return copy(p, f.node.data[off:]), nil
}

func (f *file) Write(p []byte) (n int, err error) {
	err = f.do("write", func() error {
		if f.flag&os.O_APPEND != 0 && len(p) > 0 && f.writable() {
			f.off = int64(len(f.node.data))
		}
		n, err = f.writeAt(p, f.off)
		f.off += int64(n)
		return err
	})
	return n, err
}

var errAppend = errors.New("WriteAt on a file opened with O_APPEND")

func (f *file) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.do("write", func() error {
		if f.flag&os.O_APPEND != 0 {
			return errAppend
		}
		if off < 0 {
			return fs.ErrInvalid
		}
		n, err = f.writeAt(p, off)
		return err
	})
	return n, err
}

func (f *file) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f *file) writeAt(p []byte, off int64) (int, error) {
	switch {
	case !f.writable():
		return 0, syscall.EBADF
	case len(p) == 0:
		return 0, nil
	case off > largest-int64(len(p)):
		return 0, syscall.EFBIG
	}
	f.node.change(change{data: slices.Clone(p), off: off, at: f.fs.now()})
	return len(p), nil
}

func (f *file) writable() bool { return f.flag&(os.O_WRONLY|os.O_RDWR) != 0 }

func (f *file) Seek(offset int64, whence int) (pos int64, err error) {
	err = f.do("seek", func() error {
		switch whence {
		case io.SeekStart:
			pos = offset
		case io.SeekCurrent:
			pos = f.off + offset
		case io.SeekEnd:
			pos = int64(len(f.node.data)) + offset
		default:
			pos = -1
		}
		if pos < 0 {
			pos = 0
			return fs.ErrInvalid
		}
		f.off, f.listed = pos, f.listed && pos != 0 // the listing of a directory starts again
		return nil
	})
	return pos, err
}

func (f *file) Truncate(size int64) error {
	return f.do("truncate", func() error {
		switch {
		case size < 0 || !f.writable():
			return fs.ErrInvalid
		case size > largest:
			return syscall.EFBIG
		}
		f.node.change(f.fs.resize(size))
		return nil
	})
}

// Sync makes the content of a file durable, or the names in a directory.
func (f *file) Sync() error {
	return f.do("sync", func() error {
		f.node.sync()
		if f.fs.journaled {
			f.fs.journal.flushAll()
		} else {
			f.fs.journal.flush(f.node)
		}
		return nil
	})
}

func (f *file) Stat() (fi fs.FileInfo, err error) {
	err = f.do("stat", func() error {
		fi = f.node.info(base(f.name))
		return nil
	})
	return fi, err
}

func (f *file) Close() error {
	return f.do("close", func() error {
		f.closed = true
		return nil
	})
}
