package localdir

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"runtime"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// File is an open regular file without a position. Its methods may be called concurrently; after Close they fail
// with fs.ErrClosed. It stays usable when its Dir is closed and when the file is renamed or, where the system allows
// that, removed.
type File struct {
	name   string
	handle handle
}

// handle is what a File needs; *os.File has it but for info.
type handle interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
	info(name string) (Info, error)
}

var (
	_ io.ReaderAt = (*File)(nil)
	_ io.WriterAt = (*File)(nil)
)

// ReadAt reads len(p) bytes from offset off, as io.ReaderAt says.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, oserr.Path("read", f.name, fs.ErrInvalid)
	}
	n, err := f.handle.ReadAt(p, off)
	if err == io.EOF {
		return n, err
	}
	return n, oserr.Path("read", f.name, err)
}

// WriteAt writes p at offset off, as io.WriterAt says. A gap before off reads as zeros.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, oserr.Path("write", f.name, fs.ErrInvalid)
	}
	n, err := f.handle.WriteAt(p, off)
	return n, oserr.Path("write", f.name, err)
}

// InMemory reports whether the file is one of an afero.MemMapFs, where a hole takes as much room as what is written.
func (f *File) InMemory() bool {
	a, ok := f.handle.(*aferoFile)
	return ok && a.content != nil
}

// Truncate makes the file size bytes long; what is added reads as zeros.
func (f *File) Truncate(size int64) error {
	if size < 0 {
		return oserr.Path("truncate", f.name, fs.ErrInvalid)
	}
	return oserr.Path("truncate", f.name, f.handle.Truncate(size))
}

// Sync makes the content last through the loss of power, as far as the Fs can do that.
func (f *File) Sync() error { return oserr.Path("sync", f.name, f.handle.Sync()) }

// Stat describes the file as it is now, under the name it was opened with.
func (f *File) Stat() (Info, error) {
	info, err := f.handle.info(path.Base(f.name))
	return info, oserr.Path("stat", f.name, err)
}

// Close closes the file.
func (f *File) Close() error { return oserr.Path("close", f.name, f.handle.Close()) }

// wantRegular refuses what is not a regular file.
func wantRegular(fi fs.FileInfo) error {
	switch mode := fi.Mode(); {
	case fi.IsDir():
		return syscall.EISDIR
	case !mode.IsRegular():
		return errNotRegular
	}
	return nil
}

// syncDirFile syncs an open directory and closes it. See [Dir.SyncDir].
func syncDirFile(f afero.File) error {
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return syscall.ENOTDIR
	}
	if runtime.GOOS == "windows" {
		return nil
	}
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
