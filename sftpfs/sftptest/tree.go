package sftptest

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/afero"
)

const maxName = 255

// A tree is the served afero.Fs with the rules of a Unix file system, which not every afero.Fs keeps by itself:
// afero.MemMapFs, for one, makes missing parents, and removes directories that are not empty.
type tree struct {
	fs        afero.Fs
	umask     fs.FileMode
	openFile  opener     // fs.OpenFile, or what a character makes of it
	mu        sync.Mutex // held while names change, so that the check and the change are atomic
	appending sync.Mutex // held by an append, so that finding the end and the write are atomic
}

func (t *tree) lstat(name string) (fs.FileInfo, error) {
	if l, ok := t.fs.(afero.Lstater); ok {
		fi, _, err := l.LstatIfPossible(name)
		return fi, err
	}
	return t.fs.Stat(name)
}

// isDir returns an error if dir is not a directory.
func (t *tree) isDir(dir string) error {
	fi, err := t.fs.Stat(dir)
	if err == nil && !fi.IsDir() {
		err = syscall.ENOTDIR
	}
	return err
}

// place returns an error if nothing can be made under name.
func (t *tree) place(name string) error {
	if len(path.Base(name)) > maxName {
		return syscall.ENAMETOOLONG
	}
	return t.isDir(path.Dir(name))
}

// open opens a file, with the permissions perm if that makes it.
func (t *tree) open(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag&os.O_CREATE == 0 {
		if err := t.isDir(path.Dir(name)); err != nil {
			return nil, err
		}
		if fi, err := t.fs.Stat(name); err == nil && fi.IsDir() && flag != os.O_RDONLY {
			return nil, syscall.EISDIR
		}
		return t.openFile(name, flag, 0)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.place(name); err != nil {
		return nil, err
	}
	_, err := t.lstat(name)
	if err == nil && flag&os.O_EXCL != 0 {
		return nil, syscall.EEXIST
	}
	if fi, err := t.fs.Stat(name); err == nil && fi.IsDir() {
		return nil, syscall.EISDIR
	}
	return t.openFile(name, flag, perm)
}

func (t *tree) list(dir string) ([]fs.FileInfo, error) {
	if err := t.isDir(dir); err != nil {
		return nil, err
	}
	return afero.ReadDir(t.fs, dir)
}

func (t *tree) truncate(name string, size int64) error {
	f, err := t.open(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(size)
}

func (t *tree) mkdir(name string, perm fs.FileMode) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.place(name); err != nil {
		return err
	}
	if _, err := t.lstat(name); err == nil {
		return syscall.EEXIST
	}
	return t.fs.Mkdir(name, perm)
}

// rmdir removes an empty directory and nothing else.
func (t *tree) rmdir(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.removeDir(name)
}

func (t *tree) removeDir(name string) error {
	fi, err := t.lstat(name)
	switch {
	case err != nil:
		return err
	case !fi.IsDir():
		return syscall.ENOTDIR
	case name == "/":
		return syscall.EBUSY
	}
	entries, err := afero.ReadDir(t.fs, name)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return syscall.ENOTEMPTY
	}
	return t.fs.Remove(name)
}

// remove removes anything but a directory.
func (t *tree) remove(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	fi, err := t.lstat(name)
	if err == nil && fi.IsDir() {
		err = syscall.EISDIR
	}
	if err != nil {
		return err
	}
	return t.fs.Remove(name)
}

// rename refuses an existing target.
func (t *tree) rename(oldname, newname string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.lstat(newname); err == nil {
		return syscall.EEXIST
	}
	return t.move(oldname, newname)
}

// replace is rename(2): it replaces a file by a file, and an empty directory by a directory.
func (t *tree) replace(oldname, newname string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	source, err := t.lstat(oldname)
	if err != nil || oldname == newname {
		return err
	}
	target, err := t.lstat(newname)
	switch {
	case err != nil:
	case target.IsDir() && !source.IsDir():
		return syscall.EISDIR
	case source.IsDir() && !target.IsDir():
		return syscall.ENOTDIR
	case target.IsDir():
		if err := t.removeDir(newname); err != nil {
			return err
		}
	}
	return t.move(oldname, newname)
}

func (t *tree) move(oldname, newname string) error {
	if _, err := t.lstat(oldname); err != nil {
		return err
	}
	if err := t.place(newname); err != nil {
		return err
	}
	if strings.HasPrefix(newname, oldname+"/") {
		return syscall.EINVAL
	}
	return t.fs.Rename(oldname, newname)
}

func (t *tree) symlink(target, name string) error {
	links, ok := t.fs.(afero.Linker)
	if !ok {
		return afero.ErrNoSymlink
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.place(name); err != nil {
		return err
	}
	return links.SymlinkIfPossible(target, name)
}

func (t *tree) readlink(name string) (string, error) {
	links, ok := t.fs.(afero.LinkReader)
	if !ok {
		return "", afero.ErrNoReadlink
	}
	return links.ReadlinkIfPossible(name)
}
