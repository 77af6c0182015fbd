package aferotest

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

// OS returns the oracle: dir, an existing directory, as an Fs that behaves like package os on a system whose root is
// dir. It is an afero.Symlinker.
//
// Symbolic links keep their targets; an absolute target leads to the root of the Fs, and nothing leads above it, as in
// a chroot. Errors and FileInfos contain the name that the caller has passed. An operation on a path is not atomic with
// a concurrent change of a symbolic link in that path.
func OS(dir string) afero.Fs {
	return osFs{root: dir}
}

type osFs struct{ root string }

var (
	_ afero.Fs        = osFs{}
	_ afero.Symlinker = osFs{}
)

func (o osFs) Name() string { return "aferotest.OS" }

func (o osFs) Create(name string) (afero.File, error) {
	return o.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (o osFs) Open(name string) (afero.File, error) {
	return o.OpenFile(name, os.O_RDONLY, 0)
}

func (o osFs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	const creation = os.O_CREATE | os.O_EXCL
	real, err := o.resolve(name, flag&creation != creation)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, err := os.OpenFile(real, flag, perm)
	if err != nil {
		return nil, renamed(err, name)
	}
	return &osFile{f: f, name: name}, nil
}

func (o osFs) Mkdir(name string, perm fs.FileMode) error {
	return o.do("mkdir", name, false, func(real string) error { return os.Mkdir(real, perm) })
}

// MkdirAll reimplements os.MkdirAll, which would follow symbolic links by itself.
func (o osFs) MkdirAll(name string, perm fs.FileMode) error {
	dir := "/"
	for _, element := range elements(path.Clean("/" + filepath.ToSlash(name))) {
		dir = path.Join(dir, element)
		err := o.Mkdir(dir, perm)
		if err == nil {
			continue
		}
		fi, statErr := o.Stat(dir)
		switch {
		case statErr != nil:
			return renamed(err, name)
		case !fi.IsDir():
			return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
		}
	}
	return nil
}

func (o osFs) Remove(name string) error {
	return o.do("remove", name, false, o.unlessRoot(os.Remove))
}

func (o osFs) RemoveAll(name string) error {
	return o.do("removeall", name, false, o.unlessRoot(os.RemoveAll))
}

// unlessRoot refuses the root, as the kernel refuses its own root.
func (o osFs) unlessRoot(f func(real string) error) func(real string) error {
	return func(real string) error {
		if real == o.real("/") {
			return &fs.PathError{Op: "remove", Err: syscall.EBUSY}
		}
		return f(real)
	}
}

func (o osFs) Chmod(name string, mode fs.FileMode) error {
	return o.do("chmod", name, true, func(real string) error { return os.Chmod(real, mode) })
}

func (o osFs) Chown(name string, uid, gid int) error {
	return o.do("chown", name, true, func(real string) error { return os.Chown(real, uid, gid) })
}

func (o osFs) Chtimes(name string, atime, mtime time.Time) error {
	return o.do("chtimes", name, true, func(real string) error { return os.Chtimes(real, atime, mtime) })
}

func (o osFs) Rename(oldname, newname string) error {
	return o.do2("rename", oldname, newname, os.Rename)
}

func (o osFs) Stat(name string) (fi fs.FileInfo, err error) {
	err = o.do("stat", name, true, func(real string) error {
		fi, err = os.Stat(real)
		return err
	})
	return named(fi, name), err
}

func (o osFs) LstatIfPossible(name string) (fi fs.FileInfo, lstat bool, err error) {
	err = o.do("lstat", name, false, func(real string) error {
		fi, err = os.Lstat(real)
		return err
	})
	return named(fi, name), true, err
}

func (o osFs) ReadlinkIfPossible(name string) (target string, err error) {
	err = o.do("readlink", name, false, func(real string) error {
		target, err = os.Readlink(real)
		return err
	})
	return target, err
}

func (o osFs) SymlinkIfPossible(oldname, newname string) error {
	real, err := o.resolve(newname, false)
	if err == nil {
		err = os.Symlink(oldname, real)
	}
	return relinked("symlink", err, oldname, newname)
}

// do resolves name and calls f with the real path.
func (o osFs) do(op, name string, follow bool, f func(real string) error) error {
	real, err := o.resolve(name, follow)
	if err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return renamed(f(real), name)
}

// do2 is do for an operation on two names, neither of which is followed.
func (o osFs) do2(op, oldname, newname string, f func(oldreal, newreal string) error) error {
	oldreal, err := o.resolve(oldname, false)
	if err != nil {
		return &os.LinkError{Op: op, Old: oldname, New: newname, Err: err}
	}
	newreal, err := o.resolve(newname, false)
	if err != nil {
		// The system checks the path to the old name first.
		if _, oldErr := os.Lstat(filepath.Dir(oldreal)); oldErr != nil {
			err = oldErr
		}
	} else {
		err = f(oldreal, newreal)
	}
	return relinked(op, err, oldname, newname)
}

// renamed returns err with the name that the caller has passed instead of the real one.
func renamed(err error, name string) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: pe.Op, Path: name, Err: pe.Err}
	}
	return err
}

func relinked(op string, err error, oldname, newname string) error {
	if err == nil {
		return nil
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		err = le.Err
	}
	return &os.LinkError{Op: op, Old: oldname, New: newname, Err: err}
}

// named returns fi with the name that the caller has passed. The real name is different for the root, and for a
// symbolic link that was followed.
func named(fi fs.FileInfo, name string) fs.FileInfo {
	if fi == nil {
		return nil
	}
	base := path.Base(path.Clean("/" + filepath.ToSlash(name)))
	if fi.Name() == base {
		return fi
	}
	return osInfo{FileInfo: fi, name: base}
}

type osInfo struct {
	fs.FileInfo
	name string
}

func (i osInfo) Name() string { return i.name }
