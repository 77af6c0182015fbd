package localdir

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func (a *aferoDir) mkdir(local string, perm fs.FileMode) error {
	defer a.change()()
	return a.mkdirLocked(local, perm)
}

func (a *aferoDir) mkdirLocked(local string, perm fs.FileMode) error {
	_, err := a.lstat(local)
	if err == nil {
		return syscall.EEXIST
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := a.parent(local); err != nil {
		return err
	}
	return a.fsys.Mkdir(a.path(local), perm)
}

func (a *aferoDir) mkdirAll(local string, perm fs.FileMode) error {
	defer a.change()()
	return a.mkdirAllLocked(local, perm)
}

func (a *aferoDir) mkdirAllLocked(local string, perm fs.FileMode) error {
	err := a.isDir(local)
	if err == nil || local == "." || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := a.mkdirAllLocked(filepath.Dir(local), perm); err != nil {
		return err
	}
	err = a.mkdirLocked(local, perm)
	if errors.Is(err, fs.ErrExist) {
		return a.isDir(local) // someone was faster
	}
	return err
}

func (a *aferoDir) remove(local string) error {
	defer a.change()()
	info, err := a.lstat(local)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if err := a.empty(local); err != nil {
			return err
		}
	}
	return a.fsys.Remove(a.path(local))
}

func (a *aferoDir) empty(local string) error {
	f, err := a.fsys.Open(a.path(local))
	if err != nil {
		return err
	}
	defer f.Close()
	names, err := f.Readdirnames(1)
	if len(names) > 0 {
		return syscall.ENOTEMPTY
	}
	if err == io.EOF {
		return nil
	}
	return err
}

func (a *aferoDir) removeAll(local string) error {
	defer a.change()()
	if _, err := a.lstat(local); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return a.fsys.RemoveAll(a.path(local))
}

func (a *aferoDir) rename(oldlocal, newlocal string) error {
	defer a.change()()
	// In the order of the system: both directories, then both names.
	if err := a.parent(oldlocal); err != nil {
		return err
	}
	if err := a.parent(newlocal); err != nil {
		return err
	}
	from, err := a.lstat(oldlocal)
	if err != nil {
		return err
	}
	to, err := a.lstat(newlocal)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && to.IsDir():
		return syscall.EEXIST
	case from.IsDir() && strings.HasPrefix(newlocal, oldlocal+rootPath):
		return syscall.EINVAL
	case err == nil && from.IsDir():
		return syscall.ENOTDIR
	}
	return a.fsys.Rename(a.path(oldlocal), a.path(newlocal))
}

func (a *aferoDir) chmod(local string, mode fs.FileMode) error {
	defer a.change()()
	return a.missing(local, a.fsys.Chmod(a.path(local), mode))
}

func (a *aferoDir) chtimes(local string, atime, mtime time.Time) error {
	defer a.change()()
	if !a.memory {
		return a.missing(local, a.fsys.Chtimes(a.path(local), atime, mtime))
	}
	fi, err := a.fsys.Stat(a.path(local))
	if err != nil || mtime.IsZero() {
		return a.missing(local, err)
	}
	defer a.contents.use(fi)()
	return a.fsys.Chtimes(a.path(local), atime, mtime)
}
