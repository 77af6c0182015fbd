package faultfs

import (
	"io/fs"

	"github.com/spf13/afero"
)

// LstatIfPossible is an operation of kind Lstat, whether or not the base supports it.
func (f *Fs) LstatIfPossible(name string) (fi fs.FileInfo, did bool, err error) {
	fi, err = f.info(Op{Kind: Lstat, Name: name}, func() (fs.FileInfo, error) {
		base, ok := f.base.(afero.Lstater)
		if !ok {
			return f.base.Stat(name)
		}
		var err error
		fi, did, err = base.LstatIfPossible(name)
		return fi, err
	})
	return fi, did, err
}

// SymlinkIfPossible is an operation of kind Symlink.
func (f *Fs) SymlinkIfPossible(oldname, newname string) error {
	op := Op{Kind: Symlink, Name: oldname, NewName: newname}
	return f.plan.run(op, func() error {
		if base, ok := f.base.(afero.Linker); ok {
			return base.SymlinkIfPossible(oldname, newname)
		}
		return op.wrap(afero.ErrNoSymlink)
	})
}

// ReadlinkIfPossible is an operation of kind Readlink.
func (f *Fs) ReadlinkIfPossible(name string) (target string, err error) {
	op := Op{Kind: Readlink, Name: name}
	err = f.plan.run(op, func() error {
		base, ok := f.base.(afero.LinkReader)
		if !ok {
			return op.wrap(afero.ErrNoReadlink)
		}
		target, err = base.ReadlinkIfPossible(name)
		return err
	})
	if err != nil {
		return "", err
	}
	return target, nil
}
