package mirror

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"sync/atomic"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// File is an open local file of the mirror. It is bound to the node, not the name. Positions are kept here and all
// I/O is positional, so that every local file system behaves alike. Safe for concurrent use.
type File struct {
	m      *FS
	name   string // as it was opened
	flag   int
	bytes  content
	local  *localdir.File                        // the same, where it can be written; nil: it is a stream
	adopt  func(name string) (*tree.Node, error) // makes a node of a file of the user's when it is written first
	closed atomic.Bool

	mu     lockorder.Mutex[handleLock] // guards what follows; held while the position is used
	node   *tree.Node                  // nil: a file of the user's
	shared *openFile
	off    int64
	wrote  bool // since the last commit
	full   bool // it was opened to be emptied, and is not yet
}

var _ afero.File = (*File)(nil)

// content is what a handle reads.
type content interface {
	ReadAt(p []byte, off int64) (int, error)
	ReadSome(p []byte, off int64) (int, error) // what is here, at least one byte
	Size() (int64, error)
	Stat() (localdir.Info, error) // of the local file
	Close() error
}

// localContent is that of a local file.
type localContent struct{ *localdir.File }

func (c localContent) ReadSome(p []byte, off int64) (int, error) { return c.ReadAt(p, off) }

func (c localContent) Size() (int64, error) {
	info, err := c.Stat()
	return info.Size(), err
}

func (f *File) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return PathError(op, f.name, err)
}

// usable says whether the handle may be used, for reading or writing if asked.
func (f *File) usable(write bool) error {
	switch {
	case f.closed.Load():
		return fs.ErrClosed
	case write && !writable(f.flag), !write && f.flag&os.O_WRONLY != 0:
		return syscall.EBADF
	}
	return nil
}

// Name is the name the file was opened with.
func (f *File) Name() string { return f.name }

// Read reads from the handle's position.
func (f *File) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(false); err != nil {
		return 0, f.fail("read", err)
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := f.bytes.ReadSome(p, f.off)
	f.off += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, f.fail("read", err)
}

// ReadAt is io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if err := f.usable(false); err != nil {
		return 0, f.fail("read", err)
	}
	if off < 0 {
		return 0, f.fail("readat", fs.ErrInvalid)
	}
	n, err := f.bytes.ReadAt(p, off)
	return n, f.fail("read", err)
}

// Seek sets the position of the next Read or Write.
func (f *File) Seek(offset int64, whence int) (int64, error) {
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
		size, err := f.bytes.Size()
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
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.change(f.flag&os.O_APPEND != 0, func() (int, error) {
		if f.flag&os.O_APPEND != 0 {
			info, err := f.local.Stat()
			if err != nil {
				return 0, err
			}
			f.off = info.Size()
		}
		return f.local.WriteAt(p, f.off)
	})
	f.off += int64(n)
	return n, f.fail("write", err)
}

// WriteString is Write.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt is io.WriterAt. A file opened with O_APPEND has none.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if err := f.usable(true); err != nil {
		return 0, f.fail("write", err)
	}
	if f.flag&os.O_APPEND != 0 {
		return 0, f.fail("writeat", errAppend)
	}
	if off < 0 {
		return 0, f.fail("writeat", fs.ErrInvalid)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.change(false, func() (int, error) { return f.local.WriteAt(p, off) })
	return n, f.fail("write", err)
}

var errAppend = errors.New("invalid use of WriteAt on file opened with O_APPEND")

// Truncate changes the size.
func (f *File) Truncate(size int64) error {
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
		_, err = f.change(true, func() (int, error) { return 0, f.local.Truncate(size) })
	}
	return f.fail("truncate", err)
}

// change makes a change of the bytes, recorded as under way before the first of them changes.
func (f *File) change(alone bool, do func() (int, error)) (int, error) {
	if err := f.usable(true); err != nil {
		return 0, err
	}
	if f.m.stop.Err() != nil {
		return 0, fs.ErrClosed // the bytes may be another Fs's by now
	}
	if f.node == nil {
		if err := f.becomeNode(); err == errNowhere {
			return do()
		} else if err != nil {
			return 0, err
		}
	}
	s := f.shared
	if alone {
		s.bytes.Lock()
		defer s.bytes.Unlock()
	} else {
		s.bytes.RLock()
		defer s.bytes.RUnlock()
	}
	if !s.busy.Load() || !f.wrote {
		if err := f.m.begin(f); err != nil {
			return 0, err
		}
	}
	return do()
}

// Stat describes the open file, whatever its name is now.
func (f *File) Stat() (fs.FileInfo, error) {
	if f.closed.Load() {
		return nil, f.fail("stat", fs.ErrClosed)
	}
	if s, ok := f.bytes.(*stream); ok {
		if meta, arriving := s.shown(); arriving {
			return Info{path.Base("/" + f.name), meta}, nil
		}
	}
	info, err := f.bytes.Stat()
	if err != nil {
		return nil, f.fail("stat", err)
	}
	f.mu.Lock()
	n := f.node
	f.mu.Unlock()
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	i := Info{name: path.Base("/" + f.name), meta: LocalMeta(info)}
	switch {
	case n == nil:
	case n.Content() == tree.Owned:
		i.meta = f.m.view().shown(n)
	case f.shared.unwritten:
		i.meta = n.Shown()
	default:
		i.meta = dirtyMeta(n, info)
	}
	return i, nil
}

// Readdir fails: this is a file.
func (f *File) Readdir(int) ([]fs.FileInfo, error) {
	return nil, f.notDir()
}

// Readdirnames fails: this is a file.
func (f *File) Readdirnames(int) ([]string, error) {
	return nil, f.notDir()
}

func (f *File) notDir() error {
	if f.closed.Load() {
		return f.fail("readdir", fs.ErrClosed)
	}
	return f.fail("readdir", syscall.ENOTDIR)
}

// Sync makes what was written survive the loss of power, as far as the local file system can, and commits it to the
// queue.
func (f *File) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() {
		return f.fail("sync", fs.ErrClosed)
	}
	switch {
	case f.local == nil:
		return nil
	case f.shared == nil:
		return f.fail("sync", f.local.Sync())
	}
	f.shared.bytes.Lock()
	defer f.shared.bytes.Unlock()
	err := f.local.Sync()
	if err == nil {
		err = f.m.commit(f, true)
	}
	if err == nil {
		err = f.m.syncPath(f.node)
	}
	return f.fail("sync", err)
}

// Close commits what was written, if no other handle is still at it, and ends the handle.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Swap(true) {
		return f.fail("close", fs.ErrClosed)
	}
	var err error
	if f.adopt != nil && f.shared == nil {
		f.m.mu.Lock()
		delete(f.m.usersOpen, f)
		f.m.mu.Unlock()
	}
	if f.shared != nil {
		if f.wrote {
			f.shared.bytes.Lock()
			err = f.m.commit(f, false)
			f.shared.bytes.Unlock()
		}
		f.m.mu.Lock()
		f.m.unshare(f.node, f)
		f.m.mu.Unlock()
	}
	return f.fail("close", errors.Join(err, f.bytes.Close()))
}
