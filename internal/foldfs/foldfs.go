// Package foldfs provides file systems that do not keep all names apart: an afero.Fs that behaves like one over any
// other afero.Fs, and an NTFS volume mounted by the system.
package foldfs

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

// Options say how a file system treats names. A nil function stands for no treatment.
type Options struct {
	Fold   func(element string) string // names with the same result are one
	Spell  func(element string) string // the spelling of a new name on disk
	Refuse func(element string) bool   // new names that are refused with EINVAL
}

// Fs is an afero.Fs that folds names. It is as safe for concurrent use as its base. A rename from one spelling of a
// name to another does nothing and succeeds, as on Linux.
type Fs struct {
	base afero.Fs
	opts Options
	mu   sync.Mutex // held while a name is looked up and used
}

var (
	_ afero.Fs      = (*Fs)(nil)
	_ afero.Lstater = (*Fs)(nil)
)

// New returns an Fs over base.
func New(base afero.Fs, opts Options) *Fs {
	same := func(element string) string { return element }
	if opts.Fold == nil {
		opts.Fold = same
	}
	if opts.Spell == nil {
		opts.Spell = same
	}
	if opts.Refuse == nil {
		opts.Refuse = func(string) bool { return false }
	}
	return &Fs{base: base, opts: opts}
}

// Name returns "foldfs".
func (f *Fs) Name() string { return "foldfs" }

// locate returns the path of a name on the base, or the path that it would have.
func (f *Fs) locate(name string) (at string, there bool) {
	at, there = "/", true
	for _, element := range strings.Split(path.Clean("/" + filepath.ToSlash(name))[1:], "/") {
		if element == "" {
			break
		}
		at, there = f.entry(at, element)
	}
	return at, there
}

func (f *Fs) entry(dir, element string) (at string, there bool) {
	infos, err := afero.ReadDir(f.base, dir)
	if err == nil {
		for _, info := range infos {
			if f.opts.Fold(info.Name()) == f.opts.Fold(element) {
				return path.Join(dir, info.Name()), true
			}
		}
	}
	return path.Join(dir, f.opts.Spell(element)), false
}

// target is locate for a file that is created if it does not exist.
func (f *Fs) target(op, name string) (string, error) {
	at, there := f.locate(name)
	if !there && f.opts.Refuse(path.Base(filepath.ToSlash(name))) {
		return "", &fs.PathError{Op: op, Path: name, Err: syscall.EINVAL}
	}
	return at, nil
}

func (f *Fs) call(name string, do func(at string) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, _ := f.locate(name)
	return do(at)
}

func (f *Fs) make(op, name string, do func(at string) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.target(op, name)
	if err != nil {
		return err
	}
	return do(at)
}

// Create is OpenFile with O_RDWR|O_CREATE|O_TRUNC and permission bits 0666.
func (f *Fs) Create(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// Open is OpenFile with O_RDONLY.
func (f *Fs) Open(name string) (afero.File, error) { return f.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile opens or creates a file, whatever its spelling.
func (f *Fs) OpenFile(name string, flag int, perm fs.FileMode) (file afero.File, err error) {
	open := func(at string) error {
		file, err = f.base.OpenFile(at, flag, perm)
		return err
	}
	if flag&os.O_CREATE == 0 {
		err = f.call(name, open)
	} else {
		err = f.make("open", name, open)
	}
	return file, err
}

// Mkdir makes a directory.
func (f *Fs) Mkdir(name string, perm fs.FileMode) error {
	return f.make("mkdir", name, func(at string) error { return f.base.Mkdir(at, perm) })
}

// MkdirAll makes a directory and its ancestors.
func (f *Fs) MkdirAll(name string, perm fs.FileMode) error {
	return f.make("mkdir", name, func(at string) error { return f.base.MkdirAll(at, perm) })
}

// Remove removes a file or an empty directory.
func (f *Fs) Remove(name string) error { return f.call(name, f.base.Remove) }

// RemoveAll removes a name and everything below it.
func (f *Fs) RemoveAll(name string) error { return f.call(name, f.base.RemoveAll) }

// Rename renames a file or directory; see Fs.
func (f *Fs) Rename(oldname, newname string) error {
	return f.make("rename", newname, func(to string) error {
		from, _ := f.locate(oldname)
		if from == to {
			_, err := f.base.Stat(from)
			return err
		}
		return f.base.Rename(from, to)
	})
}

// Stat describes a file. The name in the description is that on disk.
func (f *Fs) Stat(name string) (fi fs.FileInfo, err error) {
	err = f.call(name, func(at string) error {
		fi, err = f.base.Stat(at)
		return err
	})
	return fi, err
}

// LstatIfPossible is Stat, but does not follow a symbolic link if the base supports that.
func (f *Fs) LstatIfPossible(name string) (fi fs.FileInfo, lstat bool, err error) {
	l, ok := f.base.(afero.Lstater)
	if !ok {
		fi, err = f.Stat(name)
		return fi, false, err
	}
	err = f.call(name, func(at string) error {
		fi, lstat, err = l.LstatIfPossible(at)
		return err
	})
	return fi, lstat, err
}

// Chmod changes the mode.
func (f *Fs) Chmod(name string, mode fs.FileMode) error {
	return f.call(name, func(at string) error { return f.base.Chmod(at, mode) })
}

// Chown changes the owner.
func (f *Fs) Chown(name string, uid, gid int) error {
	return f.call(name, func(at string) error { return f.base.Chown(at, uid, gid) })
}

// Chtimes changes the times.
func (f *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return f.call(name, func(at string) error { return f.base.Chtimes(at, atime, mtime) })
}
