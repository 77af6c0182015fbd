package remote

import (
	"bytes"
	"io/fs"
	"syscall"
	"time"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// HeadSize is how many bytes of a file are read together with its version.
const HeadSize = 64 << 10

// ReadVersion reads a whole file in one round trip, if it still has the known version, is not larger than HeadSize, and
// the remote supports that.
func (r *Remote) ReadVersion(path string, known tree.Meta) (w WholeFile, ok bool) {
	reader, can := Optional[contract.VersionReader](r)
	if !can || known.Size > HeadSize || known == (tree.Meta{}) {
		return w, false
	}
	name := r.Name(path)
	content, info, err := reader.ReadVersion(name, known.Size, time.Unix(0, known.MTime))
	if err != nil {
		return w, false
	}
	return WholeFile{bytes.NewReader(content), content, info, name}, true
}

// OpenVersion opens a file for reading. known is the version that was last seen: a small file that still has it may
// arrive with its content in one round trip.
func (r *Remote) OpenVersion(path string, known tree.Meta) (afero.File, error) {
	if whole, ok := r.ReadVersion(path, known); ok {
		return whole, nil
	}
	return r.Open(path)
}

// Open opens a file or directory for reading.
func (r *Remote) Open(path string) (afero.File, error) {
	f, err := r.fs.Open(r.Name(path))
	if err != nil {
		return nil, Error(err)
	}
	return f, nil
}

// WholeFile is a file of the remote that was read completely when it was opened.
type WholeFile struct {
	*bytes.Reader
	Content []byte
	Info    fs.FileInfo
	name    string
}

var _ afero.File = WholeFile{}

// Name returns the name on the remote.
func (f WholeFile) Name() string { return f.name }

// Stat describes the version that was read.
func (f WholeFile) Stat() (fs.FileInfo, error) { return f.Info, nil }

// Close does nothing.
func (f WholeFile) Close() error { return nil }

// Sync does nothing.
func (f WholeFile) Sync() error { return nil }

// ReadsAtOnce reports that ReadAt may be called concurrently.
func (f WholeFile) ReadsAtOnce() bool { return true }

// Readdir fails: this is a file.
func (f WholeFile) Readdir(int) ([]fs.FileInfo, error) { return nil, syscall.ENOTDIR }

// Readdirnames fails: this is a file.
func (f WholeFile) Readdirnames(int) ([]string, error) { return nil, syscall.ENOTDIR }

// Truncate fails: the file is open for reading only.
func (f WholeFile) Truncate(int64) error { return syscall.EBADF }

func (f WholeFile) Write([]byte) (int, error) { return 0, syscall.EBADF }

// WriteAt fails like Write.
func (f WholeFile) WriteAt([]byte, int64) (int, error) { return 0, syscall.EBADF }

// WriteString fails like Write.
func (f WholeFile) WriteString(string) (int, error) { return 0, syscall.EBADF }
