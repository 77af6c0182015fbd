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

// File is an open regular file without a position. Its methods may be called concurrently. After Close they fail with
// fs.ErrClosed. It stays usable when its Dir is closed, when the file is renamed, and, if the system allows that, when
// it is removed.
type File struct {
	name   string
	handle handle
}

// handle is what a File needs. *os.File has all of it except info.
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

// ReadAt reads len(p) bytes from offset off, as specified by io.ReaderAt.
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

// WriteAt writes p at offset off, as specified by io.WriterAt. A gap before off reads as zeros.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, oserr.Path("write", f.name, fs.ErrInvalid)
	}
	n, err := f.handle.WriteAt(p, off)
	return n, oserr.Path("write", f.name, err)
}

// InMemory reports whether the file belongs to an afero.MemMapFs, where a hole uses as much memory as data.
func (f *File) InMemory() bool {
	a, ok := f.handle.(*aferoFile)
	return ok && a.content != nil
}

// Truncate sets the length to size bytes. Bytes that are added read as zeros.
func (f *File) Truncate(size int64) error {
	if size < 0 {
		return oserr.Path("truncate", f.name, fs.ErrInvalid)
	}
	return oserr.Path("truncate", f.name, f.handle.Truncate(size))
}

// Sync makes the content survive a power failure, as far as the Fs supports that.
func (f *File) Sync() error { return oserr.Path("sync", f.name, f.handle.Sync()) }

// Stat describes the file as it is now, with the name that it was opened with.
func (f *File) Stat() (Info, error) {
	info, err := f.handle.info(path.Base(f.name))
	return info, oserr.Path("stat", f.name, err)
}

// Close closes the file.
func (f *File) Close() error { return oserr.Path("close", f.name, f.handle.Close()) }

// wantRegular returns an error for anything but a regular file.
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
