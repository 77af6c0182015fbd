package sftpfs

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
)

// Read is like os.File.Read, but fills b unless the file ends before.
func (f *File) Read(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.locate(); err != nil {
		return 0, pathError("read", f.name, err)
	}
	n, err := f.readAt(b, f.offset)
	f.offset += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, pathError("read", f.name, err)
}

// ReadsAtOnce reports that ReadAt is safe for concurrent use, also beside Read. Package cachefs calls it, because not
// every afero.File keeps that promise of ReadAt.
func (f *File) ReadsAtOnce() bool { return true }

// ReadAt is like os.File.ReadAt.
func (f *File) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, pathError("readat", f.name, invalid.Argument)
	}
	n, err := f.readAt(b, off)
	return n, pathError("read", f.name, err)
}

func (f *File) readAt(b []byte, off int64) (int, error) {
	if err := f.canRead(); err != nil || len(b) == 0 {
		return 0, err
	}
	f.noteVersion()
	if f.fs.ctx.Done() == nil {
		return f.fill(b, off)
	}
	// The caller may use b again once this returns, also if the call was abandoned.
	own := make([]byte, len(b))
	n, err := abandon.Await(f.fs.ctx, nil, func() (int, error) { return f.fill(own, off) }, nil)
	return copy(b, own[:n]), err
}

// noteVersion asks in the background which version is being read, so that reading can go on after the loss of the
// connection.
func (f *File) noteVersion() {
	if f.flag&mutates == 0 && f.stated.Load() == nil {
		f.noting.Do(func() { go func() { _, _ = f.fstat() }() })
	}
}

// canRead returns an error if the file cannot be read. No READ may be sent on a handle that is not open for reading:
// some servers take it for a WRITE of zeros.
func (f *File) canRead() error {
	err := f.usable()
	switch {
	case err != nil:
		return err
	case !f.readable():
		return syscall.EBADF
	case f.at.Load().handle == nil:
		return syscall.EISDIR
	}
	return nil
}

// fill reads until b is full or the file ends.
func (f *File) fill(b []byte, off int64) (n int, err error) {
	_, err = asking(f, func(o *opened) (int, error) {
		m, err := inChunks(o.packet(), b[n:], off+int64(n), o.readAt)
		n += m
		return n, o.reduce(err)
	})
	f.keepSample(b[:n], off)
	if err != io.EOF {
		return n, f.orIsDir(err)
	}
	err = f.ended(off + int64(n))
	if errors.Is(err, io.ErrUnexpectedEOF) && f.at.Load().endsAsOpened() {
		var m int
		m, err = f.fillAnew(b[n:], off+int64(n), err)
		n += m
	}
	return n, err
}

// fillAnew is fill with a new handle, for a server that endsAsOpened. If the file cannot be opened again, the error is
// ended. On other servers, a handle that ends before the stated size may be that of a file which has been replaced: some
// (the RequestServer of pkg/sftp, mysecureshell) state what the name leads to, which a new handle would read.
func (f *File) fillAnew(b []byte, off int64, ended error) (n int, err error) {
	o, err := f.same(f.at.Load().remote, f.openAgain)
	if err != nil {
		return 0, ended
	}
	defer o.close()
	n, err = inChunks(o.packet(), b, off, o.readAt)
	if err == io.EOF {
		return n, f.ended(off + int64(n))
	}
	return n, o.reduce(err)
}

// fillOver is fill over a parallel channel. If the channel's handle does not deliver, the file's own handle decides.
func (f *File) fillOver(c *parallelChannel, b []byte, off int64) (n int, err error) {
	if c.at != nil {
		n, _ = c.at.readAt(b, off)
		if n > 0 && c.same() != nil {
			n = 0
		}
	}
	if n < len(b) {
		if c.at != nil {
			c.failed.Store(true)
		}
		m := 0
		m, err = f.fill(b[n:], off+int64(n))
		n += m
	}
	return n, err
}

// ended returns io.EOF if the file may end at off, otherwise io.ErrUnexpectedEOF: some servers report the end too
// early. If the server does not tell the size, its report is believed.
func (f *File) ended(off int64) error {
	if off >= f.size.Load() {
		return io.EOF
	}
	fi, err := f.fstat()
	switch {
	case declined(err):
		return io.EOF
	case err != nil:
		return err
	case off >= fi.Size():
		return io.EOF
	}
	return fmt.Errorf("%w: the server ends the file at %d of %d bytes", io.ErrUnexpectedEOF, off, fi.Size())
}
