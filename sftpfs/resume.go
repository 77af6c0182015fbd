package sftpfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
)

// An opened is a handle of a File, with the session that it belongs to.
type opened struct {
	remote
	handle *sftp.File               // nil: a directory, on a server that has no handles for them
	before *atomic.Pointer[version] // of what the name led to right before; nil inside: unknown
	once   sync.Once                // closes it
	order  writeOrder
}

// opening returns the opened for h, which r has opened.
func opening(r remote, h *sftp.File, before *atomic.Pointer[version]) *opened {
	o := &opened{remote: r, handle: h, before: before}
	if h != nil {
		r.files.Add(1)
		r.learnt.files.add(o)
	}
	return o
}

// close closes the handle, once.
func (o *opened) close() (err error) {
	if o.handle == nil {
		return nil
	}
	o.once.Do(func() {
		err = o.learnt.files.close(o, o.handle.Close)
		o.files.Add(-1)
	})
	return err
}

func (o *opened) readAt(b []byte, off int64) (int, error) {
	o.learnt.files.moved.Add(1)
	return o.handle.ReadAt(b, off)
}

// A version tells two states of a file apart as well as SFTP can.
type version struct {
	size  int64
	mtime time.Time
}

func versionOf(fi fs.FileInfo) version { return version{fi.Size(), fi.ModTime()} }

// resumes reports whether the file may go on after the loss of its connection: nothing can be written through it, and
// its version is known.
func (f *File) resumes() bool {
	stated := f.stated.Load()
	return f.flag&mutates == 0 && stated != nil && f.at.Load().is(*stated)
}

// asking runs op on the file. If op fails because the session is lost, asking runs it once more on another session: on
// one of its own if a request about this file blocked the lost session.
func asking[T any](f *File, op func(*opened) (T, error)) (T, error) {
	o := f.at.Load()
	var v T
	err := error(nil)
	if o.isLost() {
		err = o.unavailable(nil)
	} else {
		v, err = op(o)
	}
	if !errors.Is(err, ErrUnavailable) || !f.resumes() {
		return v, err
	}
	again, rerr := f.reopen(o)
	if rerr != nil {
		return v, rerr
	}
	if again == nil {
		return v, err
	}
	return op(again)
}

// reopen opens the file again, after its session was lost. What the name leads to must be the same version; anything
// else, also its absence, is still the loss of the connection. reopen returns nil if there can be no session for it.
func (f *File) reopen(lost *opened) (*opened, error) {
	f.reopening.Lock()
	defer f.reopening.Unlock()
	if o := f.at.Load(); o != lost {
		return o, nil // reopened by another read
	}
	get := f.fs.session
	if lost.blockedBy(f.path) {
		get = func() (*session, error) { return f.fs.conns.alone(f.fs.ctx) }
	}
	s, err := get()
	if s == nil || err != nil {
		return nil, err
	}
	defer s.release()
	o, err := f.same(remote{session: s, ctx: f.fs.ctx}, func(r remote) (*opened, error) {
		return inTurn(r.ctx, r.learnt, func() (*opened, error) { return f.openToReadOn(r) })
	})
	if err != nil {
		return nil, err
	}
	f.at.Store(o)
	if f.closed.Load() {
		o.close() // Close has closed the lost one
	}
	return o, nil
}

// same calls open, which opens the file by its name, which must lead to the version that was stated last.
func (f *File) same(r remote, open func(remote) (*opened, error)) (*opened, error) {
	o, err := open(r)
	if err == nil {
		if err = f.requireSame(o); err != nil {
			o.close()
		}
	}
	if err != nil {
		return nil, r.notResumed(err)
	}
	return o, nil
}

// openAgain opens what the file's name leads to now.
func (f *File) openAgain(r remote) (*opened, error) {
	before := r.askBefore(f.path)
	h, err := r.open(f.path, os.O_RDONLY) // whatever else the file is open for
	if err != nil {
		return nil, err
	}
	return opening(r, h, before), nil
}

func (r remote) notResumed(err error) error {
	if errors.Is(err, ErrUnavailable) || errors.Is(err, fs.ErrClosed) || r.ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %s: connection lost, and the file can't be read on: %v", ErrUnavailable, r.conn.addr, err)
}
