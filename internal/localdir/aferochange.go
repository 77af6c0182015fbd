package localdir

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
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
	return a.fsys.Mkdir(a.target(local), perm)
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
		return a.isDir(local) // somebody else was faster
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
	return a.each(local, a.fsys.Remove)
}

// each calls f with every path of local.
func (a *aferoDir) each(local string, f func(path string) error) error {
	for _, path := range a.paths(local) {
		if err := f(path); err != nil {
			return err
		}
	}
	return nil
}

func (a *aferoDir) empty(local string) error {
	return a.each(local, func(path string) error {
		f, err := a.fsys.Open(path)
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
	})
}

func (a *aferoDir) removeAll(local string) error {
	defer a.change()()
	if _, err := a.lstat(local); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return a.each(local, a.fsys.RemoveAll)
}

func (a *aferoDir) rename(oldlocal, newlocal string) error {
	defer a.change()()
	// The order of checks is that of the operating system: both directories, then both names.
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
	sources, replaced := a.paths(oldlocal), a.paths(newlocal)
	switch {
	case len(sources) < 2 && len(replaced) < 2:
		return a.fsys.Rename(a.path(oldlocal), a.target(newlocal))
	case oldlocal == newlocal:
		return nil
	case from.IsDir(): // two directories that are one to this package
		return errors.Join(a.fsys.Rename(sources[0], rootPath+newlocal), a.fsys.Rename(sources[1], newlocal))
	}
	if err := a.fsys.Rename(sources[0], a.target(newlocal)); err != nil {
		return err
	}
	for _, hidden := range slices.Concat(sources[1:], replaced[min(1, len(replaced)):]) {
		if err := a.fsys.Remove(hidden); err != nil {
			return err
		}
	}
	return nil
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
