package mirror

import (
	"io"
	"io/fs"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/buffers"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// What *os.File has besides the methods of afero.File. Programs find out by a type assertion, and some panic without.

// osFile is an open file or directory.
type osFile interface {
	fs.ReadDirFile
	io.ReaderFrom
	io.WriterTo
	io.StringWriter
}

var (
	_ osFile = (*File)(nil)
	_ osFile = (*DirFile)(nil)
	_ osFile = (*RemoteFile)(nil)
)

// DirEntries makes of the result of a Readdir that of a ReadDir.
func DirEntries(infos []fs.FileInfo, err error) ([]fs.DirEntry, error) {
	entries := make([]fs.DirEntry, len(infos))
	for i, info := range infos {
		entries[i] = fs.FileInfoToDirEntry(info)
	}
	return entries, err
}

// ReadDir fails: this is a file.
func (f *File) ReadDir(int) ([]fs.DirEntry, error) { return nil, f.notDir() }

// WriteTo writes the rest of the file to w. Of a file that arrives all is wanted then, before the first byte has come.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	f.mu.Lock()
	if s, ok := f.bytes.(*stream); ok && f.off == 0 && f.usable(false) == nil {
		s.want()
	}
	f.mu.Unlock()
	return copyBy(w, struct{ io.Reader }{f})
}

// ReadFrom writes what r has from the handle's position on, or at the end of a file opened with O_APPEND.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	if err := f.usable(true); err != nil {
		return 0, f.fail("write", err)
	}
	return copyBy(struct{ io.Writer }{f}, r)
}

// copyBy is io.Copy with a larger buffer.
func copyBy(w io.Writer, r io.Reader) (int64, error) {
	buf := buffers.Borrow(buffers.Chunk)
	defer buffers.GiveBack(buf)
	return io.CopyBuffer(w, r, buf)
}

// ReadDir is Readdir for entries, which know what Readdir returns.
func (d *DirFile) ReadDir(count int) ([]fs.DirEntry, error) { return DirEntries(d.Readdir(count)) }

// WriteTo fails: this is a directory.
func (d *DirFile) WriteTo(io.Writer) (int64, error) { return 0, d.fail("read", syscall.EISDIR) }

// ReadFrom fails: this is a directory.
func (d *DirFile) ReadFrom(io.Reader) (int64, error) { return 0, d.fail("write", syscall.EBADF) }

// ReadDir lists a directory.
func (r *RemoteFile) ReadDir(count int) ([]fs.DirEntry, error) { return DirEntries(r.Readdir(count)) }

// WriteTo writes the rest of the file to w, in the remote's own way if it has one. An error of w's is returned as it is.
func (r *RemoteFile) WriteTo(w io.Writer) (int64, error) {
	from, ok := remote.OptionalFile[io.WriterTo](r.f)
	if !ok {
		return copyBy(w, struct{ io.Reader }{r})
	}
	to := &watchedWriter{w: w}
	n, err := from.WriteTo(to)
	if to.err != nil {
		return n, to.err
	}
	return n, r.fail("read", err)
}

// ReadFrom writes what src has from the handle's position on, in the remote's own way if it has one. An error of src's is
// returned as it is.
func (r *RemoteFile) ReadFrom(src io.Reader) (int64, error) {
	to, ok := remote.OptionalFile[io.ReaderFrom](r.f)
	if !ok {
		return copyBy(struct{ io.Writer }{r}, src)
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

// watchedWriter keeps the error of a writer, to be told from one of the remote's.
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

// watchedReader is the same for a reader.
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

// watchedSizedReader also knows its size.
type watchedSizedReader struct {
	*watchedReader
	sized interface{ Size() int64 }
}

func (r watchedSizedReader) Size() int64 { return r.sized.Size() }
