package localdir

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// Dir is a local directory, held exclusively. Its methods may be called concurrently; after Close they fail with
// fs.ErrClosed.
type Dir struct {
	backend backend
	name    string
	umask   fs.FileMode
	unlock  func() error
	closed  atomic.Bool
}

// backend does the work of a Dir. Errors need no names of their own. What it is given as local is a path of the
// operating system, or a valid name if it is translated.
type backend interface {
	lstat(local string) (Info, error)
	readDir(local string) ([]Info, error)
	openFile(local string, flag int, perm fs.FileMode) (handle, error)
	mkdir(local string, perm fs.FileMode) error
	mkdirAll(local string, perm fs.FileMode) error
	remove(local string) error
	removeAll(local string) error
	rename(oldlocal, newlocal string) error
	chmod(local string, mode fs.FileMode) error
	chtimes(local string, atime, mtime time.Time) error
	syncDir(local string) error
	lock(dir string) (unlock func() error, err error)
	close() error
}

// disk is a backend that takes names as they are.
type disk interface {
	backend
	names(local string) ([]string, error) // of the entries of a directory, as the disk spells them
}

// Name says which directory this is, for messages: its path if it is real, else the name of the Fs.
func (d *Dir) Name() string { return d.name }

// Real reports whether this is a directory of this machine's file system, confined by os.Root.
func (d *Dir) Real() bool {
	backend := d.backend
	if t, ok := backend.(*translated); ok {
		backend = t.disk
	}
	_, ok := backend.(*realDir)
	return ok
}

// Umask returns the permission bits that the file system took from a new file's mode when the directory was opened;
// 0 in memory.
func (d *Dir) Umask() fs.FileMode { return d.umask }

// Spelled takes note of a name as a program spells it. Only a Dir in memory cares; see the package documentation.
func (d *Dir) Spelled(name string) {
	if a, ok := d.backend.(*aferoDir); ok {
		a.spelling.note(name)
	}
}

// local checks that d is open and name valid, and returns what the backend calls it.
func (d *Dir) local(name string) (string, error) {
	if d.closed.Load() {
		return "", fs.ErrClosed
	}
	if len(name) > MaxPath {
		return "", syscall.ENAMETOOLONG
	}
	if _, ok := d.backend.(*translated); ok {
		if !valid(name) {
			return "", fs.ErrInvalid
		}
		return name, nil
	}
	return localize(name)
}

// Lstat describes name; of a link, the link itself. An Fs that cannot tell describes what the link leads to.
func (d *Dir) Lstat(name string) (Info, error) {
	local, err := d.local(name)
	if err != nil {
		return Info{}, oserr.Path("lstat", name, err)
	}
	info, err := d.backend.lstat(local)
	return info, oserr.Path("lstat", name, err)
}

// ReadDir describes what a directory holds, like Lstat, sorted by name. Reserved names and entries that vanish while
// it reads are left out, also below StateDir: what is listed there must have other names.
func (d *Dir) ReadDir(name string) ([]Info, error) {
	local, err := d.local(name)
	if err != nil {
		return nil, oserr.Path("readdir", name, err)
	}
	infos, err := d.backend.readDir(local)
	if err != nil {
		return nil, oserr.Path("readdir", name, err)
	}
	infos = slices.DeleteFunc(infos, func(i Info) bool { return Reserved(i.Name) })
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return infos, nil
}

// OpenFile opens or creates a regular file, like os.OpenFile. Of perm only the permission bits count. O_APPEND is
// refused with fs.ErrInvalid, since a File has no position. A directory is syscall.EISDIR whatever the flags;
// anything else that is no regular file is fs.ErrInvalid. A link is followed, on a real directory only to a file
// inside it; otherwise the error is ErrEscapes. In StateDir none is followed: it is syscall.ELOOP.
func (d *Dir) OpenFile(name string, flag int, perm fs.FileMode) (*File, error) {
	local, err := d.local(name)
	if err == nil && flag&os.O_APPEND != 0 {
		err = fs.ErrInvalid
	}
	if err != nil {
		return nil, oserr.Path("open", name, err)
	}
	if flag&os.O_CREATE == 0 {
		flag &^= os.O_EXCL // undefined without O_CREATE
	}
	if strings.HasPrefix(name, StateDir+"/") && flag&os.O_EXCL == 0 {
		err = d.noLink(local)
	}
	var h handle
	if err == nil {
		h, err = d.backend.openFile(local, flag, perm.Perm())
	}
	if err != nil {
		return nil, oserr.Path("open", name, err)
	}
	return &File{name: name, handle: h}, nil
}

// noLink is an error if a link is in the place of a file of the library's own: nobody else than the user can have put it there,
// and what is kept there must not get into a file of the user's.
func (d *Dir) noLink(local string) error {
	info, err := d.backend.lstat(local)
	if err != nil || info.Mode&fs.ModeSymlink == 0 {
		return nil
	}
	h, err := d.backend.openFile(local, os.O_RDONLY, 0)
	if err == nil {
		_ = h.Close()
	}
	if err == ErrEscapes {
		return err
	}
	return syscall.ELOOP
}

// Mkdir makes a directory. Of perm only the permission bits count. The error matches fs.ErrExist if there is
// something under the name, fs.ErrNotExist if the parent is missing.
func (d *Dir) Mkdir(name string, perm fs.FileMode) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.mkdir(local, perm.Perm())
	}
	return oserr.Path("mkdir", name, err)
}

// MkdirAll makes a directory and what is missing above it; an existing directory is no error. A file in the way is
// syscall.ENOTDIR.
func (d *Dir) MkdirAll(name string, perm fs.FileMode) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.mkdirAll(local, perm.Perm())
	}
	return oserr.Path("mkdir", name, err)
}

// Remove removes a file, a link or an empty directory. A directory that is not empty is syscall.ENOTEMPTY, the root
// syscall.EINVAL.
func (d *Dir) Remove(name string) error {
	local, err := d.notRoot(name)
	if err == nil {
		err = d.backend.remove(local)
	}
	return oserr.Path("remove", name, err)
}

// RemoveAll removes name and everything below it, following no links. What is missing is no error; the root is
// syscall.EINVAL.
func (d *Dir) RemoveAll(name string) error {
	local, err := d.notRoot(name)
	if err == nil {
		err = d.backend.removeAll(local)
	}
	return oserr.Path("remove", name, err)
}

// Rename renames a file, a link or a directory with what is below it. A file may replace a file. As with os.Rename,
// an existing directory as the target is fs.ErrExist, even if it is empty; a file as the target of a directory is
// syscall.ENOTDIR; and a directory does not go into itself (syscall.EINVAL). The parent of newname must exist.
func (d *Dir) Rename(oldname, newname string) error {
	oldlocal, err := d.notRoot(oldname)
	var newlocal string
	if err == nil {
		newlocal, err = d.notRoot(newname)
	}
	if err == nil {
		err = d.backend.rename(oldlocal, newlocal)
	}
	return oserr.Link("rename", oldname, newname, err)
}

func (d *Dir) notRoot(name string) (string, error) {
	local, err := d.local(name)
	if err == nil && name == "." {
		err = syscall.EINVAL
	}
	return local, err
}

// Chmod sets the mode; of a link, that of what it leads to.
func (d *Dir) Chmod(name string, mode fs.FileMode) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.chmod(local, mode)
	}
	return oserr.Path("chmod", name, err)
}

// Chtimes sets access and modification time; a zero time leaves its one unchanged.
func (d *Dir) Chtimes(name string, atime, mtime time.Time) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.chtimes(local, atime, mtime)
	}
	return oserr.Path("chtimes", name, err)
}

// SyncDir makes the names in a directory last: entries made, renamed or removed there before the call survive the
// loss of power. It returns nil without having done so where that can't be asked for: on Windows, on file systems
// that refuse to sync a directory, and over an Fs whose Sync does nothing.
func (d *Dir) SyncDir(name string) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.syncDir(local)
	}
	return oserr.Path("sync", name, err)
}
