package sftptest

import (
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

// A memFile is an open node of a memFs.
type memFile struct {
	fs     *memFs
	node   *node
	name   string
	flag   int
	closed atomic.Bool

	// Guarded by fs.mu.
	offset int64
	listed []fs.FileInfo // what Readdir has yet to return; nil: not read yet
}

var _ afero.File = (*memFile)(nil)

// with runs do with the tree's lock held, if the file is open for this access: os.O_RDONLY, os.O_WRONLY, or -1 for
// neither.
func (f *memFile) with(op string, access int, do func(n *node) error) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	var err error
	switch {
	case f.closed.Load():
		err = fs.ErrClosed
	case access == os.O_RDONLY && f.flag&os.O_WRONLY != 0, access == os.O_WRONLY && f.flag&(os.O_WRONLY|os.O_RDWR) == 0:
		err = syscall.EBADF
	case access == os.O_RDONLY && f.node.mode.IsDir():
		err = syscall.EISDIR
	default:
		err = do(f.node)
	}
	if err == io.EOF {
		return err
	}
	return pathError(op, f.name, err)
}

func (f *memFile) Name() string { return f.name }

func (f *memFile) Close() error {
	if !f.closed.CompareAndSwap(false, true) {
		return pathError("close", f.name, fs.ErrClosed)
	}
	return nil
}

func (f *memFile) Read(b []byte) (n int, err error) {
	err = f.with("read", os.O_RDONLY, func(node *node) error {
		n, err = node.read(b, f.offset)
		f.offset += int64(n)
		return err
	})
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *memFile) ReadAt(b []byte, off int64) (n int, err error) {
	err = f.with("readat", os.O_RDONLY, func(node *node) error {
		if off < 0 {
			return fs.ErrInvalid
		}
		n, err = node.read(b, off)
		return err
	})
	return n, err
}

func (f *memFile) Write(b []byte) (n int, err error) {
	err = f.with("write", os.O_WRONLY, func(node *node) error {
		if f.flag&os.O_APPEND != 0 {
			f.offset = int64(len(node.data))
		}
		n = node.write(b, f.offset)
		f.offset += int64(n)
		return nil
	})
	return n, err
}

func (f *memFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f *memFile) WriteAt(b []byte, off int64) (n int, err error) {
	err = f.with("writeat", os.O_WRONLY, func(node *node) error {
		if off < 0 || f.flag&os.O_APPEND != 0 {
			return fs.ErrInvalid
		}
		n = node.write(b, off)
		return nil
	})
	return n, err
}

func (f *memFile) Seek(offset int64, whence int) (at int64, err error) {
	err = f.with("seek", -1, func(node *node) error {
		switch whence {
		case io.SeekStart:
		case io.SeekCurrent:
			offset += f.offset
		case io.SeekEnd:
			offset += int64(len(node.data))
		default:
			return fs.ErrInvalid
		}
		if offset < 0 {
			return fs.ErrInvalid
		}
		f.offset, f.listed, at = offset, nil, offset
		return nil
	})
	return at, err
}

func (f *memFile) Truncate(size int64) error {
	return f.with("truncate", os.O_WRONLY, func(node *node) error {
		if size < 0 {
			return fs.ErrInvalid
		}
		node.resize(size)
		return nil
	})
}

func (f *memFile) Sync() error { return f.with("sync", -1, func(*node) error { return nil }) }

func (f *memFile) Stat() (fi fs.FileInfo, err error) {
	err = f.with("stat", -1, func(node *node) error {
		fi = node.info(path.Base(f.name))
		return nil
	})
	return fi, err
}

func (f *memFile) Readdir(n int) (page []fs.FileInfo, err error) {
	err = f.with("readdir", -1, func(node *node) error {
		if !node.mode.IsDir() {
			return syscall.ENOTDIR
		}
		if f.listed == nil {
			f.listed = []fs.FileInfo{}
			for _, name := range slices.Sorted(maps.Keys(node.entries)) {
				f.listed = append(f.listed, node.entries[name].info(name))
			}
		}
		if n > 0 && len(f.listed) == 0 {
			return io.EOF
		}
		if n <= 0 || n > len(f.listed) {
			n = len(f.listed)
		}
		page, f.listed = f.listed[:n:n], f.listed[n:]
		return nil
	})
	return page, err
}

func (f *memFile) Readdirnames(n int) ([]string, error) {
	page, err := f.Readdir(n)
	names := make([]string, len(page))
	for i, fi := range page {
		names[i] = fi.Name()
	}
	return names, err
}

func (n *node) read(b []byte, off int64) (int, error) {
	if off >= int64(len(n.data)) {
		if len(b) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	read := copy(b, n.data[off:])
	if read < len(b) {
		return read, io.EOF
	}
	return read, nil
}

func (n *node) write(b []byte, off int64) int {
	if end := off + int64(len(b)); len(b) > 0 && end > int64(len(n.data)) {
		n.resize(end)
	}
	n.mtime = time.Now()
	return copy(n.data[min(off, int64(len(n.data))):], b)
}

func (n *node) resize(size int64) {
	have := int64(len(n.data))
	if size <= have {
		clear(n.data[size:]) // bytes beyond the end read as zeros when the file grows again
		n.data = n.data[:size]
	} else {
		n.data = slices.Grow(n.data, int(size-have))[:size]
	}
	n.mtime = time.Now()
}

func (n *node) info(name string) fs.FileInfo {
	size := int64(len(n.data) + len(n.target))
	return memInfo{name: name, size: size, mode: n.mode, mtime: n.mtime, uid: uint32(n.uid), gid: uint32(n.gid)}
}

// A memInfo holds the attributes of a node at one time. The SFTP library asks it for the owner.
type memInfo struct {
	name     string
	size     int64
	mode     fs.FileMode
	mtime    time.Time
	uid, gid uint32
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) Mode() fs.FileMode  { return i.mode }
func (i memInfo) ModTime() time.Time { return i.mtime }
func (i memInfo) IsDir() bool        { return i.mode.IsDir() }
func (i memInfo) Sys() any           { return nil }
func (i memInfo) Uid() uint32        { return i.uid }
func (i memInfo) Gid() uint32        { return i.gid }
