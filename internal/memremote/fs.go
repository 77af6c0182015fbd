package memremote

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/handle"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// Fs is a MemMapFs with the semantics of package os. Safe for concurrent use, also beside others on the same MemMapFs:
// there is one for each.
type Fs struct {
	memory *afero.MemMapFs
	dir    *localdir.Dir

	// ends orders appends: they take it alone, and other changes of a file's bytes share it.
	ends sync.RWMutex
}

var _ afero.Fs = (*Fs)(nil)

// Spelled takes note of a name as the program spells it.
func (m *Fs) Spelled(name string) { m.dir.Spelled(name) }

// Name is that of the MemMapFs.
func (m *Fs) Name() string { return m.memory.Name() }

// Open opens a file or directory for reading.
func (m *Fs) Open(name string) (afero.File, error) { return m.OpenFile(name, os.O_RDONLY, 0) }

// Create creates or truncates a file.
func (m *Fs) Create(name string) (afero.File, error) {
	return m.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile is os.OpenFile.
func (m *Fs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	clean, err := clean(name)
	if err != nil {
		return nil, oserr.Path("open", name, err)
	}
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC) == 0 {
		if info, err := m.dir.Lstat(clean); err == nil && info.IsDir() {
			return handle.NewDir[handleLock](openDir{m, clean}, name), nil
		}
	}
	f, err := m.dir.OpenFile(clean, flag&^os.O_APPEND, perm)
	if err != nil {
		return nil, oserr.Path("open", name, err)
	}
	return handle.New[handleLock](&openFile{f, m}, name, flag), nil
}

// Mkdir is os.Mkdir.
func (m *Fs) Mkdir(name string, perm fs.FileMode) error {
	return m.do("mkdir", name, func(clean string) error { return m.dir.Mkdir(clean, perm) })
}

// MkdirAll is os.MkdirAll.
func (m *Fs) MkdirAll(name string, perm fs.FileMode) error {
	return m.do("mkdir", name, func(clean string) error { return m.dir.MkdirAll(clean, perm) })
}

// Remove is os.Remove.
func (m *Fs) Remove(name string) error { return m.do("remove", name, m.dir.Remove) }

// RemoveAll is os.RemoveAll.
func (m *Fs) RemoveAll(name string) error { return m.do("removeall", name, m.dir.RemoveAll) }

// Rename is os.Rename.
func (m *Fs) Rename(oldname, newname string) error {
	from, err := clean(oldname)
	var to string
	if err == nil {
		to, err = clean(newname)
	}
	if err == nil {
		err = m.dir.Rename(from, to)
	}
	return oserr.Link("rename", oldname, newname, err)
}

// Stat is os.Stat.
func (m *Fs) Stat(name string) (fs.FileInfo, error) {
	var described info
	err := m.do("stat", name, func(clean string) (err error) {
		described.Info, err = m.dir.Lstat(clean)
		return err
	})
	if err != nil {
		return nil, err
	}
	described.Info.Name = base(name)
	return described, nil
}

// Chmod is os.Chmod.
func (m *Fs) Chmod(name string, mode fs.FileMode) error {
	return m.do("chmod", name, func(clean string) error { return m.dir.Chmod(clean, mode) })
}

// Chown does nothing: of a file in memory nobody can see the owner.
func (m *Fs) Chown(name string, _, _ int) error {
	return m.do("chown", name, func(clean string) error {
		_, err := m.dir.Lstat(clean)
		return err
	})
}

// Chtimes is os.Chtimes. A file in memory has no access time.
func (m *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return m.do("chtimes", name, func(clean string) error { return m.dir.Chtimes(clean, atime, mtime) })
}

func (m *Fs) do(op, name string, f func(clean string) error) error {
	clean, err := clean(name)
	if err == nil {
		err = f(clean)
	}
	return oserr.Path(op, name, err)
}

// clean maps a name to one below the root, which is ".".
func clean(name string) (string, error) {
	if name == "" {
		return "", syscall.ENOENT
	}
	name = path.Clean("/" + filepath.ToSlash(name))[1:]
	if name == "" {
		return ".", nil
	}
	return name, nil
}

func base(name string) string { return path.Base(path.Clean("/" + filepath.ToSlash(name))) }
