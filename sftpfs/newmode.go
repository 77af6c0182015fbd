package sftpfs

import (
	"errors"
	"io/fs"
)

// giveMode gives perm to the new file. If the server refuses, the file exists all the same, and the server is not asked
// again. If the file cannot be looked at yet, Close gives it the mode: some servers show a file only when it is closed.
func (f *File) giveMode(o *opened, perm fs.FileMode) error {
	learnt := f.fs.learnt
	if learnt.refusal(kindNewMode) != nil {
		return nil
	}
	fi, err := o.info(f.path)
	switch {
	case errors.Is(err, ErrUnavailable):
		return err
	case err != nil:
		f.mode = &perm
		return nil
	case fi.Size() > 0:
		return nil // the server ignores O_EXCL, and the file existed before
	}
	mode, ok := masked(perm, fi.Mode())
	if !ok {
		return nil
	}
	if err = learnt.refusal(kindFsetstatMode); err == nil {
		err = o.reduce(o.handle.Chmod(mode))
		learnt.noteOfNew(kindFsetstatMode, err)
	}
	if declined(err) {
		err = o.chmod(f.path, mode)
	}
	learnt.noteOfNew(kindNewMode, err)
	if err != nil && learnt.refusal(kindNewMode) == nil {
		f.mode = &perm
	}
	return nil
}

// giveModeLate is giveMode for a new file that has just been closed.
func (f *File) giveModeLate(r remote) {
	fi, err := r.lstat(f.path)
	if err != nil || !fi.Mode().IsRegular() {
		return
	}
	if mode, ok := masked(*f.mode, fi.Mode()); ok {
		_ = r.chmod(f.path, mode)
	}
}
