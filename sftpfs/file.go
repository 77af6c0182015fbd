package sftpfs

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A File is an open file or directory. It is safe for concurrent use: ReadAt and WriteAt run in parallel, and calls
// that move the offset take turns. Reads and writes of any length, and io.Copy from and to a File, keep many requests
// in flight.
type File struct {
	fs   *Fs    // its context also ends the calls of the file
	name string // as given to Open
	path string
	flag int

	mode   *fs.FileMode // for Close to give to the new file; nil: none
	before fs.FileInfo  // the attributes before it was opened, on a server that does not tell them later; nil: unknown

	at     atomic.Pointer[opened]
	closed atomic.Bool
	size   atomic.Int64            // as the server stated it last; an earlier end is not believed
	stated atomic.Pointer[version] // what the server stated last, for reading on after a lost connection; nil: nothing
	noting sync.Once               // asks for stated
	sample atomic.Pointer[sample]  // of what was read last; nil: nothing

	acknowledged atomic.Int64 // by the running or last ReadFrom

	reopening sync.Mutex // held by the read that replaces at

	mu     sync.Mutex // guards the following; held by calls that move the offset
	offset int64
	end    int64 // where to append, as far as this side knows
	behind bool  // the offset is the end of the last append, wherever the server put that
	single bool  // ReadFrom uses no other handle, see WriteInOrder
	dir    listing
}

var (
	_ afero.File     = (*File)(nil)
	_ fs.ReadDirFile = (*File)(nil)
	_ io.WriterTo    = (*File)(nil)
	_ io.ReaderFrom  = (*File)(nil)
)

// unstated is the size of a file before the server has stated one. Every end is before it.
const unstated = math.MaxInt64

func (f *File) readable() bool { return f.flag&os.O_WRONLY == 0 }
func (f *File) writable() bool { return f.flag&(os.O_WRONLY|os.O_RDWR) != 0 }
func (f *File) appends() bool  { return f.writable() && f.flag&os.O_APPEND != 0 }

// usable returns an error if the file cannot be used.
func (f *File) usable() error {
	switch o := f.at.Load(); {
	case f.closed.Load():
		return fs.ErrClosed
	case o.isLost() && !f.resumes():
		return o.unavailable(nil)
	}
	return f.fs.ctx.Err()
}

// Name returns the name that was given to Open.
func (f *File) Name() string { return f.name }

// Stat returns the attributes of the open file, also if it has been renamed. A server that refuses FSTAT is asked by
// the name with which the file was opened. One that refuses that, too, while the file is open, is asked before it is
// opened for reading.
func (f *File) Stat() (fs.FileInfo, error) {
	err := f.usable()
	var fi fs.FileInfo
	if err == nil {
		fi, err = abandon.Await(f.fs.ctx, nil, f.fstat, nil)
	}
	if err != nil {
		return nil, pathError("stat", f.name, err)
	}
	return fi, nil
}

func (f *File) fstat() (fs.FileInfo, error) {
	return asking(f, func(o *opened) (fs.FileInfo, error) {
		fi := f.before
		if fi == nil {
			var err error
			if fi, err = o.info(f.path); err != nil {
				return nil, err
			}
		}
		if o.handle == nil {
			return fi, nil
		}
		v := versionOf(fi)
		f.size.Store(v.size)
		f.stated.Store(&v)
		return fi, nil
	})
}

// Seek is like os.File.Seek. After Seek(0, io.SeekStart), a directory is listed anew.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.target(offset, whence)
	if err != nil {
		return 0, pathError("seek", f.name, err)
	}
	f.offset, f.behind, f.dir = at, false, listing{}
	return at, nil
}

func (f *File) target(offset int64, whence int) (int64, error) {
	if f.closed.Load() {
		return 0, fs.ErrClosed
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		if err := f.locate(); err != nil {
			return 0, err
		}
		offset += f.offset
	case io.SeekEnd:
		if err := f.usable(); err != nil {
			return 0, err
		}
		fi, err := abandon.Await(f.fs.ctx, nil, f.fstat, nil)
		if err != nil {
			return 0, err
		}
		offset += fi.Size()
	default:
		return 0, invalid.Argument
	}
	if offset < 0 {
		return 0, invalid.Argument
	}
	return offset, nil
}

// locate asks for the offset after an append. A program that only appends never needs it, and saves a round trip per
// write.
func (f *File) locate() error {
	if !f.behind {
		return nil
	}
	if err := f.usable(); err != nil {
		return err
	}
	fi, err := abandon.Await(f.fs.ctx, nil, f.fstat, nil)
	if err == nil {
		f.offset, f.end, f.behind = fi.Size(), fi.Size(), false
	}
	return err
}

// Truncate is like os.File.Truncate.
func (f *File) Truncate(size int64) error {
	err := f.usable()
	switch {
	case err != nil:
	case size < 0 || !f.writable():
		err = invalid.Argument
	default:
		err = f.status(func(h *sftp.File) error { return h.Truncate(size) })
		f.size.Store(unstated)
		f.mu.Lock()
		f.end = size
		f.mu.Unlock()
	}
	return pathError("truncate", f.name, err)
}

// Sync asks the server to flush the file to its disk. The error matches errors.ErrUnsupported if the server does not
// offer that.
func (f *File) Sync() error {
	err := f.usable()
	switch o := f.at.Load(); {
	case err != nil:
	case o.handle == nil || !o.offers(wire.ExtensionFsync):
		err = errors.ErrUnsupported
	default:
		err = f.fs.learnt.unlessRefused(kindFsync, func() error { return f.status((*sftp.File).Sync) })
	}
	return pathError("sync", f.name, err)
}

// Close closes the file. If Close fails on a file open for writing, some writes may be lost. On OpenSSH, Close of a
// file open for reading does not wait for the answer if the server has enough handles left.
func (f *File) Close() error {
	if !f.closed.CompareAndSwap(false, true) {
		return pathError("close", f.name, fs.ErrClosed)
	}
	var err error
	switch o := f.at.Load(); {
	case o.handle == nil:
	case !f.writable() && o.inOrder() && o.hasPlenty():
		// Nothing depends on the answer.
		o.conn.run(func() { _ = o.close() })
	case !o.isLost():
		// The request is sent even if the context has ended, because the server has few handles.
		err = f.status(func(*sftp.File) error {
			err := o.close()
			if err == nil && f.mode != nil {
				f.giveModeLate(o.remote)
			}
			return err
		})
	case f.writable():
		err = o.unavailable(nil)
	}
	return pathError("close", f.name, err)
}

// abandon closes a file for which its opener no longer waits.
func (f *File) abandon() {
	f.at.Load().close()
}

// status runs a request on the handle whose answer is only a status.
func (f *File) status(request func(*sftp.File) error) error {
	o := f.at.Load()
	_, err := abandon.Await(f.fs.ctx, f.fs.abandoned, func() (struct{}, error) { return struct{}{}, o.reduce(request(o.handle)) }, nil)
	if errors.Is(err, ErrUnavailable) {
		return unknownOutcome(err)
	}
	return err
}

// orIsDir returns syscall.EISDIR if err, of a read or a write, is a bare failure and the file is a directory.
func (f *File) orIsDir(err error) error {
	if !refused(err) {
		return err
	}
	if fi, serr := f.fstat(); serr == nil && fi.IsDir() {
		return syscall.EISDIR
	}
	return err
}
