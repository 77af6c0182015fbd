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

// Fs is a MemMapFs with the semantics of package os. It is safe for concurrent use, also by several users of the same
// MemMapFs: they share one Fs, see Of.
type Fs struct {
	memory *afero.MemMapFs
	dir    *localdir.Dir

	// ends is locked by appends, which need the end of the file, and read-locked by other changes of a file's bytes.
	ends sync.RWMutex
}

var _ afero.Fs = (*Fs)(nil)

// Spelled records how the program spells a name.
func (m *Fs) Spelled(name string) { m.dir.Spelled(name) }

// Name returns the name of the MemMapFs.
func (m *Fs) Name() string { return m.memory.Name() }

// Open opens a file or directory for reading.
func (m *Fs) Open(name string) (afero.File, error) { return m.OpenFile(name, os.O_RDONLY, 0) }

// Create creates or truncates a file.
func (m *Fs) Create(name string) (afero.File, error) {
	return m.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file or directory like os.OpenFile.
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

// Mkdir makes a directory like os.Mkdir.
func (m *Fs) Mkdir(name string, perm fs.FileMode) error {
	return m.do("mkdir", name, func(clean string) error { return m.dir.Mkdir(clean, perm) })
}

// MkdirAll makes a directory and its missing ancestors like os.MkdirAll.
func (m *Fs) MkdirAll(name string, perm fs.FileMode) error {
	return m.do("mkdir", name, func(clean string) error { return m.dir.MkdirAll(clean, perm) })
}

// Remove removes a file or an empty directory like os.Remove.
func (m *Fs) Remove(name string) error { return m.do("remove", name, m.dir.Remove) }

// RemoveAll removes a name and everything below it like os.RemoveAll.
func (m *Fs) RemoveAll(name string) error { return m.do("removeall", name, m.dir.RemoveAll) }

// Rename renames like os.Rename.
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

// Stat describes a file or directory like os.Stat.
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

// Chmod sets the mode like os.Chmod.
func (m *Fs) Chmod(name string, mode fs.FileMode) error {
	return m.do("chmod", name, func(clean string) error { return m.dir.Chmod(clean, mode) })
}

// Chown does nothing, because the owner of a file in memory is not visible. It fails for a missing name.
func (m *Fs) Chown(name string, _, _ int) error {
	return m.do("chown", name, func(clean string) error {
		_, err := m.dir.Lstat(clean)
		return err
	})
}

// Chtimes sets the times like os.Chtimes. A file in memory has no access time.
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

// clean maps a name to a clean path relative to the root, which is ".".
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
