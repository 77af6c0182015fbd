package mirror

import (
	"bytes"
	"io/fs"
	"syscall"
	"time"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// OpenVersion opens a file of the remote, of which that version was seen last: a small one in one round trip, if the
// remote can.
func (m *FS) OpenVersion(name string, seen tree.Meta) (afero.File, error) {
	return m.openVersion(nil, name, seen)
}

// openVersion opens a file of which that version is known. One that is small, and still that version, may be read already.
func (m *FS) openVersion(around detours, from string, known tree.Meta) (afero.File, error) {
	if r, ok := remote.Optional[contract.VersionReader](m.remote); ok && known.Size <= headSize && known != (tree.Meta{}) {
		name := m.remote.Name(from)
		if content, fi, err := r.ReadVersion(name, known.Size, time.Unix(0, known.MTime)); err == nil {
			return readFile{bytes.NewReader(content), content, fi, name}, nil
		}
	}
	return around.open(m, from)
}

// readFile is a file of the remote that was read whole when it was opened.
type readFile struct {
	*bytes.Reader
	content []byte
	info    fs.FileInfo
	name    string
}

var _ afero.File = readFile{}

func (f readFile) Name() string               { return f.name }
func (f readFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f readFile) Close() error               { return nil }
func (f readFile) Sync() error                { return nil }

// ReadsAtOnce says that ReadAt may be called by several at the same time.
func (f readFile) ReadsAtOnce() bool { return true }

func (f readFile) Readdir(int) ([]fs.FileInfo, error) { return nil, syscall.ENOTDIR }
func (f readFile) Readdirnames(int) ([]string, error) { return nil, syscall.ENOTDIR }
func (f readFile) Truncate(int64) error               { return syscall.EBADF }
func (f readFile) Write([]byte) (int, error)          { return 0, syscall.EBADF }
func (f readFile) WriteAt([]byte, int64) (int, error) { return 0, syscall.EBADF }
func (f readFile) WriteString(string) (int, error)    { return 0, syscall.EBADF }
