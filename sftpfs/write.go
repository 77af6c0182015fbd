package sftpfs

import (
	"bytes"
	"cmp"
	"errors"
	"path"
	"slices"
	"syscall"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// Write is like os.File.Write. The bytes that it counts have arrived; after an error, more may have arrived.
func (f *File) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.write(b)
	return n, pathError("write", f.name, err)
}

// WriteString is Write for a string.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt is like os.File.WriteAt. It fails with fs.ErrInvalid on a file open with O_APPEND.
func (f *File) WriteAt(b []byte, off int64) (int, error) {
	if off < 0 || f.appends() {
		return 0, pathError("writeat", f.name, invalid.Argument)
	}
	n, err := f.writeAt(b, off)
	return n, pathError("write", f.name, err)
}

// write writes at the offset or, if the file appends, at the end.
func (f *File) write(b []byte) (n int, err error) {
	if !f.appends() {
		n, err = f.writeAt(b, f.offset)
		f.offset += int64(n)
		return n, err
	}
	// A server that honors O_APPEND appends packets as they arrive, so only one is in flight at a time.
	for piece := range slices.Chunk(b, packet) {
		m, err := f.writeAt(piece, f.end)
		n += m
		f.end += int64(m)
		f.behind = true
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (f *File) writeAt(b []byte, off int64) (int, error) {
	if err := f.canWrite(); err != nil || len(b) == 0 {
		return 0, err
	}
	if f.fs.ctx.Done() != nil {
		b = bytes.Clone(b) // the caller may use b again once this returns, also if the call was abandoned
	}
	return abandon.Await(f.fs.ctx, f.fs.abandoned, func() (int, error) { return f.put(b, off) }, nil)
}

func (f *File) canWrite() error {
	if err := f.usable(); err != nil {
		return err
	}
	if !f.writable() {
		return syscall.EBADF
	}
	return nil
}

// put writes b at off. n is how many bytes from the start of b have arrived.
func (f *File) put(b []byte, off int64) (n int, err error) {
	o := f.at.Load()
	n, err = inPieces(o.packet(), b, off, o.writing)
	return n, f.written(o, len(b)-n, err)
}

// putting queues a packet to be written at off through another handle of the file, nil for its own. It returns what
// writes the packet.
func (f *File) putting(o *opened, off int64) func([]byte) (int, error) {
	o = cmp.Or(o, f.at.Load())
	write := o.writing(off)
	return func(b []byte) (int, error) {
		n, err := write(b)
		return n, f.written(o, len(b)-n, err)
	}
}

// written returns what err, of a write, means. So many bytes have not arrived.
func (f *File) written(o *opened, missing int, err error) error {
	f.size.Store(unstated)
	err = o.reduce(err)
	switch {
	case errors.Is(err, ErrUnavailable):
		err = unknownOutcome(err)
	case refused(err) && o.diskFull(missing):
		err = syscall.ENOSPC
	}
	return err
}

// diskFull reports whether the server says that its disk has no room for so many bytes.
func (o *opened) diskFull(bytes int) bool {
	if !o.offers(wire.ExtensionStatVFS) {
		return false
	}
	var disk *sftp.StatVFS
	err := o.learnt.unlessRefused(kindStatVFS, func() (err error) {
		disk, err = o.client.StatVFS(path.Dir(o.handle.Name()))
		return o.reduce(err)
	})
	return err == nil && disk.Bavail < (uint64(bytes)+disk.Frsize-1)/max(disk.Frsize, 1)
}
