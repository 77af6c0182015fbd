// Package faultfs is an afero.Fs that counts the operations on another Fs and makes chosen ones fail.
//
// Every call of an Fs or File method except Name is one operation with an index, which a [Plan] counts. The Plan says
// which operations fail: the one with an index, once or together with all later ones, all of them while Offline, or
// those that its hooks choose. A failing operation has no effect, its whole effect, or the effect of the first bytes of
// a write. Several Fs that share a Plan share its sequence, so one index can run through local and remote operations.
//
// [EachIndex] runs a scenario with a fault at index 0, 1, 2 and so on, until a run ends without reaching it.
//
// A failing Close still releases the file, as in package os, so a fault leaks nothing. Files hide io.ReaderFrom and
// io.WriterTo of the base file, because bytes moved that way would not be counted.
package faultfs

import (
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"
)

// Fs passes operations on to another Fs, as far as its Plan permits. It is as safe for concurrent use as that Fs. It
// always implements afero.Symlinker. If the base does not, Lstat is Stat, and the errors for symbolic links are
// afero.ErrNoSymlink and afero.ErrNoReadlink.
type Fs struct {
	base afero.Fs
	plan *Plan
}

var (
	_ afero.Fs        = (*Fs)(nil)
	_ afero.Symlinker = (*Fs)(nil)
)

// New returns an Fs over base. A nil plan stands for a new one, which lets everything pass.
func New(base afero.Fs, plan *Plan) *Fs {
	if plan == nil {
		plan = new(Plan)
	}
	return &Fs{base: base, plan: plan}
}

// Plan returns the Plan of the Fs.
func (f *Fs) Plan() *Plan { return f.plan }

// Name returns the name of the base in "faultfs()".
func (f *Fs) Name() string { return "faultfs(" + f.base.Name() + ")" }

// Create is an operation of kind Open.
func (f *Fs) Create(name string) (afero.File, error) {
	const flag = os.O_RDWR | os.O_CREATE | os.O_TRUNC
	return f.open(name, flag, func() (afero.File, error) { return f.base.Create(name) })
}

// Open is an operation of kind Open.
func (f *Fs) Open(name string) (afero.File, error) {
	return f.open(name, os.O_RDONLY, func() (afero.File, error) { return f.base.Open(name) })
}

// OpenFile is an operation of kind Open.
func (f *Fs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	return f.open(name, flag, func() (afero.File, error) { return f.base.OpenFile(name, flag, perm) })
}

func (f *Fs) open(name string, flag int, call func() (afero.File, error)) (afero.File, error) {
	var opened afero.File
	err := f.plan.run(Op{Kind: Open, Name: name, Flag: flag}, func() (err error) {
		opened, err = call()
		return err
	})
	if err != nil {
		if opened != nil {
			_ = opened.Close() // opened, but reported as failed
		}
		return nil, err
	}
	return newFile(opened, name, f.plan), nil
}

// Mkdir is an operation of kind Mkdir.
func (f *Fs) Mkdir(name string, perm fs.FileMode) error {
	return f.plan.run(Op{Kind: Mkdir, Name: name}, func() error { return f.base.Mkdir(name, perm) })
}

// MkdirAll is one operation of kind MkdirAll.
func (f *Fs) MkdirAll(name string, perm fs.FileMode) error {
	return f.plan.run(Op{Kind: MkdirAll, Name: name}, func() error { return f.base.MkdirAll(name, perm) })
}

// Remove is an operation of kind Remove.
func (f *Fs) Remove(name string) error {
	return f.plan.run(Op{Kind: Remove, Name: name}, func() error { return f.base.Remove(name) })
}

// RemoveAll is one operation of kind RemoveAll.
func (f *Fs) RemoveAll(name string) error {
	return f.plan.run(Op{Kind: RemoveAll, Name: name}, func() error { return f.base.RemoveAll(name) })
}

// Rename is an operation of kind Rename.
func (f *Fs) Rename(oldname, newname string) error {
	return f.plan.run(Op{Kind: Rename, Name: oldname, NewName: newname}, func() error {
		return f.base.Rename(oldname, newname)
	})
}

// Stat is an operation of kind Stat.
func (f *Fs) Stat(name string) (fs.FileInfo, error) {
	return f.info(Op{Kind: Stat, Name: name}, func() (fs.FileInfo, error) { return f.base.Stat(name) })
}

func (f *Fs) info(op Op, call func() (fs.FileInfo, error)) (fs.FileInfo, error) {
	var fi fs.FileInfo
	err := f.plan.run(op, func() (err error) {
		fi, err = call()
		return err
	})
	if err != nil {
		return nil, err
	}
	return fi, nil
}

// Chmod is an operation of kind Chmod.
func (f *Fs) Chmod(name string, mode fs.FileMode) error {
	return f.plan.run(Op{Kind: Chmod, Name: name}, func() error { return f.base.Chmod(name, mode) })
}

// Chown is an operation of kind Chown.
func (f *Fs) Chown(name string, uid, gid int) error {
	return f.plan.run(Op{Kind: Chown, Name: name}, func() error { return f.base.Chown(name, uid, gid) })
}

// Chtimes is an operation of kind Chtimes.
func (f *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return f.plan.run(Op{Kind: Chtimes, Name: name}, func() error { return f.base.Chtimes(name, atime, mtime) })
}
