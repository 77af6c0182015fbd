package remote

import (
	"io"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/handle"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// File is a file that a program has open on the remote. Its errors contain the operation, and the name of the file at
// Open.
type File struct {
	f       afero.File
	name    string
	onClose func()
	once    sync.Once
	closed  atomic.Bool
}

var _ handle.Full = (*File)(nil)

// NewFile wraps an open file of the remote. onClose, if not nil, is called once, after the first Close.
func NewFile(f afero.File, name string, onClose func()) *File {
	return &File{f: f, name: name, onClose: onClose}
}

func (r *File) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if r.closed.Load() && op != "close" {
		err = fs.ErrClosed
	}
	return oserr.Path(op, r.name, Error(err))
}

// Name returns the name with which the file was opened.
func (r *File) Name() string { return r.name }

// Close closes the file on the remote.
func (r *File) Close() error {
	err := r.f.Close()
	r.closed.Store(true)
	if r.onClose != nil {
		r.once.Do(r.onClose)
	}
	return r.fail("close", err)
}

func (r *File) Read(p []byte) (int, error) {
	n, err := r.f.Read(p)
	return n, r.fail("read", err)
}

// ReadAt implements io.ReaderAt.
func (r *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.f.ReadAt(p, off)
	return n, r.fail("read", err)
}

// Seek sets the position of the next Read or Write.
func (r *File) Seek(offset int64, whence int) (int64, error) {
	n, err := r.f.Seek(offset, whence)
	return n, r.fail("seek", err)
}

func (r *File) Write(p []byte) (int, error) {
	n, err := r.f.Write(p)
	return n, r.fail("write", err)
}

// WriteAt implements io.WriterAt.
func (r *File) WriteAt(p []byte, off int64) (int, error) {
	n, err := r.f.WriteAt(p, off)
	return n, r.fail("write", err)
}

// WriteString is Write for a string.
func (r *File) WriteString(s string) (int, error) {
	n, err := r.f.WriteString(s)
	return n, r.fail("write", err)
}

// Readdir lists a directory.
func (r *File) Readdir(count int) ([]fs.FileInfo, error) {
	infos, err := r.f.Readdir(count)
	return infos, r.fail("readdir", err)
}

// Readdirnames lists a directory.
func (r *File) Readdirnames(count int) ([]string, error) {
	names, err := r.f.Readdirnames(count)
	return names, r.fail("readdir", err)
}

// Stat describes the open file, with the name with which it was opened, even if it was renamed.
func (r *File) Stat() (fs.FileInfo, error) {
	fi, err := r.f.Stat()
	if err != nil {
		return nil, r.fail("stat", err)
	}
	return tree.NewInfo(r.name, MetaOf(fi)), nil
}

// Sync asks the remote to make the written bytes durable.
func (r *File) Sync() error { return r.fail("sync", r.f.Sync()) }

// Truncate changes the size.
func (r *File) Truncate(size int64) error { return r.fail("truncate", r.f.Truncate(size)) }

// ReadDir lists a directory.
func (r *File) ReadDir(count int) ([]fs.DirEntry, error) { return handle.Entries(r.Readdir(count)) }

// WriteTo writes the rest of the file to w. It uses the WriteTo of the remote's file, if there is one. It returns an
// error of w unchanged.
func (r *File) WriteTo(w io.Writer) (int64, error) {
	from, ok := OptionalFile[io.WriterTo](r.f)
	if !ok {
		return handle.Copy(w, r)
	}
	to := &watchedWriter{w: w}
	n, err := from.WriteTo(to)
	if to.err != nil {
		return n, to.err
	}
	return n, r.fail("read", err)
}

// ReadFrom writes the bytes of src at the position of the handle. It uses the ReadFrom of the remote's file, if there
// is one. It returns an error of src unchanged.
func (r *File) ReadFrom(src io.Reader) (int64, error) {
	to, ok := OptionalFile[io.ReaderFrom](r.f)
	if !ok {
		return handle.Copy(r, src)
	}
	from := &watchedReader{r: src}
	var n int64
	var err error
	if s, ok := src.(interface{ Size() int64 }); ok {
		n, err = to.ReadFrom(watchedSizedReader{from, s})
	} else {
		n, err = to.ReadFrom(from)
	}
	if from.err != nil {
		return n, from.err
	}
	return n, r.fail("write", err)
}

// watchedWriter keeps the error of a writer, to tell it from an error of the remote.
type watchedWriter struct {
	w   io.Writer
	err error
}

func (w *watchedWriter) Write(p []byte) (n int, err error) {
	n, w.err = w.w.Write(p)
	if w.err == nil && n < len(p) {
		w.err = io.ErrShortWrite
	}
	return n, w.err
}

// watchedReader does the same for a reader.
type watchedReader struct {
	r   io.Reader
	err error
}

func (r *watchedReader) Read(p []byte) (n int, err error) {
	n, err = r.r.Read(p)
	if err != io.EOF {
		r.err = err
	}
	return n, err
}

// watchedSizedReader is a watchedReader of known length.
type watchedSizedReader struct {
	*watchedReader
	sized interface{ Size() int64 }
}

func (r watchedSizedReader) Size() int64 { return r.sized.Size() }
