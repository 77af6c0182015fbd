package memremote

import (
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/handle"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// handleLock is the rank of the locks of handles: behind all locks of a package that uses the remote.
type handleLock struct{}

func (handleLock) Rank() int   { return 100 }
func (handleLock) Waits() bool { return true }

var (
	_ handle.Full = (*handle.File[handleLock])(nil)
	_ handle.Full = (*handle.Dir[handleLock, info])(nil)
)

// openFile gives the bytes of a file to a handle.
type openFile struct {
	*localdir.File
	fsys *Fs
}

func (f *openFile) ReadSome(p []byte, off int64) (int, error) { return f.ReadAt(p, off) }

func (f *openFile) Size() (int64, error) {
	i, err := f.File.Stat()
	return i.Size(), err
}

func (f *openFile) Stat(name string) (fs.FileInfo, error) {
	i, err := f.File.Stat()
	i.Name = base(name)
	return info{i}, err
}

func (f *openFile) Change(alone bool, do func(*localdir.File) (int, error)) (int, error) {
	if alone {
		f.fsys.ends.Lock()
		defer f.fsys.ends.Unlock()
	} else {
		f.fsys.ends.RLock()
		defer f.fsys.ends.RUnlock()
	}
	return do(f.File)
}

// openDir gives the entries of a directory to a handle.
type openDir struct {
	fsys  *Fs
	clean string
}

func (d openDir) List(bool) ([]info, error) {
	all, err := d.fsys.dir.ReadDir(d.clean)
	infos := make([]info, len(all))
	for i := range all {
		infos[i] = info{all[i]}
	}
	return infos, err
}

func (d openDir) Stat(name string) (fs.FileInfo, error) { return d.fsys.Stat(name) }

func (openDir) Close() {}
