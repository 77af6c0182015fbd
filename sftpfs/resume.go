package sftpfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/pkg/sftp"
)

// An opened is a handle of a File, with the session that it belongs to.
type opened struct {
	remote
	handle *sftp.File // nil: a directory, on a server that has no handles for them
	once   sync.Once  // decrements the session's files
}

// opening returns the opened for h, which r has opened.
func opening(r remote, h *sftp.File) *opened {
	if h != nil {
		r.files.Add(1)
	}
	return &opened{remote: r, handle: h}
}

// close closes the handle.
func (o *opened) close() error {
	if o.handle == nil {
		return nil
	}
	defer o.once.Do(func() { o.files.Add(-1) })
	return o.handle.Close()
}

// A version tells two states of a file apart as well as SFTP can.
type version struct {
	size  int64
	mtime time.Time
}

func versionOf(fi fs.FileInfo) version { return version{fi.Size(), fi.ModTime()} }

// resumes reports whether the file may go on after the loss of its connection: nothing can be written through it, and
// its version is known.
func (f *File) resumes() bool { return f.flag&mutates == 0 && f.stated.Load() != nil }

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
	o, err := f.same(remote{session: s, ctx: f.fs.ctx})
	if err != nil {
		return nil, err
	}
	f.at.Store(o)
	if f.closed.Load() {
		o.close() // Close has closed the lost one
	}
	return o, nil
}

// same opens the file by its name, which must lead to the version that was stated last.
func (f *File) same(r remote) (*opened, error) {
	o, err := f.openAgain(r)
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
	h, err := r.open(f.path, os.O_RDONLY) // whatever else the file is open for
	if err != nil {
		return nil, err
	}
	return opening(r, h), nil
}

// requireSame returns an error if o is not the version that was stated last.
func (f *File) requireSame(o *opened) error {
	fi, err := snapshot(f.path)(o.handle.Stat())
	if err != nil {
		return o.reduce(err)
	}
	if versionOf(fi) != *f.stated.Load() {
		return errors.New("it is another version now")
	}
	return nil
}

func (r remote) notResumed(err error) error {
	if errors.Is(err, ErrUnavailable) || errors.Is(err, fs.ErrClosed) || r.ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %s: connection lost, and the file can't be read on: %v", ErrUnavailable, r.conn.addr, err)
}
