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

// Dir is a local directory, held exclusively. Its methods may be called concurrently. After Close they fail with
// fs.ErrClosed.
type Dir struct {
	backend backend
	name    string
	umask   fs.FileMode
	unlock  func() error
	closed  atomic.Bool
}

// backend does the work of a Dir. Its errors need not contain names. The argument local is a path of the operating
// system; for a translated backend it is a valid name.
type backend interface {
	lstat(local string) (Info, error)
	readDir(local string, bare bool) ([]Info, error) // with bare, only the names need be there
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

// Name identifies the directory in messages: its path if it is real, else the name of the Fs.
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

// Boot identifies the boot of the machine that has the directory: while it is the same, no power was lost. "": not known.
func (d *Dir) Boot() string {
	if !d.Real() {
		return ""
	}
	return boot()
}

// Umask returns the permission bits that the file system took from a new file's mode when the directory was opened;
// 0 in memory.
func (d *Dir) Umask() fs.FileMode { return d.umask }

// Spelled records how a program spells a name. Only a Dir in memory uses it; see the package documentation.
func (d *Dir) Spelled(name string) {
	if a, ok := d.backend.(*aferoDir); ok {
		a.spelling.note(name)
	}
}

// local checks that d is open and that name is valid, and returns the name that the backend uses.
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

// Lstat describes name, without following a symbolic link. An Fs without Lstat describes the target.
func (d *Dir) Lstat(name string) (Info, error) {
	local, err := d.local(name)
	if err != nil {
		return Info{}, oserr.Path("lstat", name, err)
	}
	info, err := d.backend.lstat(local)
	return info, oserr.Path("lstat", name, err)
}

// ReadDir describes the entries of a directory like Lstat, sorted by name. It leaves out reserved names, also below
// StateDir, and entries that vanish while it reads.
func (d *Dir) ReadDir(name string) ([]Info, error) { return d.read(name, false) }

// ReadNames is ReadDir where only the names count. The rest of an Info may be missing.
func (d *Dir) ReadNames(name string) ([]Info, error) { return d.read(name, true) }

func (d *Dir) read(name string, bare bool) ([]Info, error) {
	local, err := d.local(name)
	if err != nil {
		return nil, oserr.Path("readdir", name, err)
	}
	infos, err := d.backend.readDir(local, bare)
	if err != nil {
		return nil, oserr.Path("readdir", name, err)
	}
	infos = slices.DeleteFunc(infos, func(i Info) bool { return Reserved(i.Name) })
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return infos, nil
}

// OpenFile opens or creates a regular file, like os.OpenFile. Only the permission bits of perm count. Errors that
// os.OpenFile does not have:
//
//   - fs.ErrInvalid for O_APPEND, because a File has no position;
//   - syscall.EISDIR for a directory, whatever the flags;
//   - fs.ErrInvalid for anything else that is not a regular file;
//   - ErrEscapes for a symbolic link that leads out of a real directory; other symbolic links are followed;
//   - syscall.ELOOP for a symbolic link in StateDir.
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

// noLink returns an error if a symbolic link is in the place of a file of the library. Only the user can have put it
// there, and the library must not write into a file of the user.
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

// Mkdir makes a directory. Only the permission bits of perm count. The error matches fs.ErrExist if the name exists,
// and fs.ErrNotExist if the parent is missing.
func (d *Dir) Mkdir(name string, perm fs.FileMode) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.mkdir(local, perm.Perm())
	}
	return oserr.Path("mkdir", name, err)
}

// MkdirAll makes a directory and its missing ancestors. An existing directory is no error. If a file is in the way, the
// error is syscall.ENOTDIR.
func (d *Dir) MkdirAll(name string, perm fs.FileMode) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.mkdirAll(local, perm.Perm())
	}
	return oserr.Path("mkdir", name, err)
}

// Remove removes a file, a symbolic link or an empty directory. The error is syscall.ENOTEMPTY for a directory that is
// not empty, and syscall.EINVAL for the root.
func (d *Dir) Remove(name string) error {
	local, err := d.notRoot(name)
	if err == nil {
		err = d.backend.remove(local)
	}
	return oserr.Path("remove", name, err)
}

// RemoveAll removes name and everything below it, without following symbolic links. A missing name is no error. For the
// root, the error is syscall.EINVAL.
func (d *Dir) RemoveAll(name string) error {
	local, err := d.notRoot(name)
	if err == nil {
		err = d.backend.removeAll(local)
	}
	return oserr.Path("remove", name, err)
}

// Rename renames a file, a symbolic link or a directory with everything below it. A file may replace a file. As with
// os.Rename, the error matches fs.ErrExist if the target is an existing directory, even an empty one. It is
// syscall.ENOTDIR if a directory would replace a file, and syscall.EINVAL if a directory would move into itself. The
// parent of newname must exist.
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

// Chmod sets the mode; for a symbolic link, that of its target.
func (d *Dir) Chmod(name string, mode fs.FileMode) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.chmod(local, mode)
	}
	return oserr.Path("chmod", name, err)
}

// Chtimes sets access and modification time. A zero time leaves the respective time unchanged.
func (d *Dir) Chtimes(name string, atime, mtime time.Time) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.chtimes(local, atime, mtime)
	}
	return oserr.Path("chtimes", name, err)
}

// SyncDir makes the names in a directory durable: entries made, renamed or removed there before the call survive a
// power failure. It returns nil without an effect where a directory can't be synced: on Windows, on file systems that
// refuse it, and over an Fs whose Sync does nothing.
func (d *Dir) SyncDir(name string) error {
	local, err := d.local(name)
	if err == nil {
		err = d.backend.syncDir(local)
	}
	return oserr.Path("sync", name, err)
}
