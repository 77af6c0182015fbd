package handle

import (
	"io"
	"io/fs"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/buffers"
)

// Full is an open file or directory with the methods that *os.File has besides those of afero.File. Programs look for
// them with type assertions, and some panic without them.
type Full interface {
	afero.File
	fs.ReadDirFile
	io.ReaderFrom
	io.WriterTo
	io.StringWriter
}

// Entries converts the results of Readdir to those of ReadDir.
func Entries(infos []fs.FileInfo, err error) ([]fs.DirEntry, error) {
	entries := make([]fs.DirEntry, len(infos))
	for i, info := range infos {
		entries[i] = fs.FileInfoToDirEntry(info)
	}
	return entries, err
}

// Copy is io.Copy with a larger buffer. It never calls WriteTo or ReadFrom.
func Copy(w io.Writer, r io.Reader) (int64, error) {
	buf := buffers.Borrow(buffers.Chunk)
	defer buffers.GiveBack(buf)
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, buf)
}

// ReadDir fails: this is a file.
func (f *File[Rank]) ReadDir(int) ([]fs.DirEntry, error) { return nil, f.notDir() }

// Prefetcher is a Content that can be prefetched as a whole.
type Prefetcher interface{ Prefetch() }

// WriteTo writes the rest of the file to w. From position 0, it prefetches the whole of a file that is still arriving.
func (f *File[Rank]) WriteTo(w io.Writer) (int64, error) {
	f.mu.Lock()
	if p, ok := f.content.(Prefetcher); ok && f.off == 0 && f.usable(false) == nil {
		p.Prefetch()
	}
	f.mu.Unlock()
	return Copy(w, f)
}

// ReadFrom writes what r has from the handle's position on, or at the end of a file opened with O_APPEND.
func (f *File[Rank]) ReadFrom(r io.Reader) (int64, error) {
	if err := f.usable(true); err != nil {
		return 0, f.fail("write", err)
	}
	return Copy(f, r)
}

// ReadDir is Readdir with results of type fs.DirEntry. Their Info returns what Readdir returns.
func (d *Dir[Rank, Info]) ReadDir(count int) ([]fs.DirEntry, error) { return Entries(d.Readdir(count)) }

// WriteTo fails: this is a directory.
func (d *Dir[Rank, Info]) WriteTo(io.Writer) (int64, error) { return 0, d.fail("read", syscall.EISDIR) }

// ReadFrom fails: this is a directory.
func (d *Dir[Rank, Info]) ReadFrom(io.Reader) (int64, error) {
	return 0, d.fail("write", syscall.EBADF)
}
