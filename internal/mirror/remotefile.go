package mirror

import (
	"io"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// RemoteFile is a file open on the remote. Its errors are ours, with the name it was opened with.
type RemoteFile struct {
	f       afero.File
	name    string
	onClose func()
	once    sync.Once
	closed  atomic.Bool
}

var _ afero.File = (*RemoteFile)(nil)

// NewRemoteFile wraps an open file of the remote. onClose, if not nil, is called once, after it was closed.
func NewRemoteFile(f afero.File, name string, onClose func()) *RemoteFile {
	return &RemoteFile{f: f, name: name, onClose: onClose}
}

func (r *RemoteFile) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if r.closed.Load() && op != "close" {
		err = fs.ErrClosed
	}
	return PathError(op, r.name, remote.Error(err))
}

// Name is the name the file was opened with.
func (r *RemoteFile) Name() string { return r.name }

// Close closes the file on the remote.
func (r *RemoteFile) Close() error {
	err := r.f.Close()
	r.closed.Store(true)
	if r.onClose != nil {
		r.once.Do(r.onClose)
	}
	return r.fail("close", err)
}

func (r *RemoteFile) Read(p []byte) (int, error) {
	n, err := r.f.Read(p)
	return n, r.fail("read", err)
}

// ReadAt is io.ReaderAt.
func (r *RemoteFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.f.ReadAt(p, off)
	return n, r.fail("read", err)
}

// Seek sets the position of the next Read or Write.
func (r *RemoteFile) Seek(offset int64, whence int) (int64, error) {
	n, err := r.f.Seek(offset, whence)
	return n, r.fail("seek", err)
}

func (r *RemoteFile) Write(p []byte) (int, error) {
	n, err := r.f.Write(p)
	return n, r.fail("write", err)
}

// WriteAt is io.WriterAt.
func (r *RemoteFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := r.f.WriteAt(p, off)
	return n, r.fail("write", err)
}

// WriteString is Write.
func (r *RemoteFile) WriteString(s string) (int, error) {
	n, err := r.f.WriteString(s)
	return n, r.fail("write", err)
}

// Readdir lists a directory.
func (r *RemoteFile) Readdir(count int) ([]fs.FileInfo, error) {
	infos, err := r.f.Readdir(count)
	return infos, r.fail("readdir", err)
}

// Readdirnames lists a directory.
func (r *RemoteFile) Readdirnames(count int) ([]string, error) {
	names, err := r.f.Readdirnames(count)
	return names, r.fail("readdir", err)
}

// Stat describes the open file, under the name it was opened with, whatever that is now.
func (r *RemoteFile) Stat() (fs.FileInfo, error) {
	fi, err := r.f.Stat()
	if err != nil {
		return nil, r.fail("stat", err)
	}
	return Info{path.Base("/" + r.name), remote.MetaOf(fi)}, nil
}

// Sync asks the remote to make what was written last.
func (r *RemoteFile) Sync() error { return r.fail("sync", r.f.Sync()) }

// Truncate changes the size.
func (r *RemoteFile) Truncate(size int64) error { return r.fail("truncate", r.f.Truncate(size)) }
