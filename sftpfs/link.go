package sftpfs

import (
	"io/fs"
	"syscall"
)

// SymlinkIfPossible makes newname a link to oldname. A relative target is stored as it is, an absolute one as the
// place below Config.Root that it means here.
func (f *Fs) SymlinkIfPossible(oldname, newname string) error {
	p, err := clean(newname)
	if err == nil {
		_, err = clean(oldname)
	}
	if err == nil {
		err = run(f, once, func(r remote) error {
			err := r.symlink(oldname, p)
			if refused(err) {
				if _, lerr := r.lstat(p); lerr == nil {
					return syscall.EEXIST
				}
			}
			return err
		})
	}
	return linkError("symlink", oldname, newname, err)
}

// ReadlinkIfPossible returns the target of the link: a relative one as it is stored, an absolute one as seen from
// Config.Root, where it lies below that.
func (f *Fs) ReadlinkIfPossible(name string) (string, error) {
	target, err := look(f, name, func(r remote, p string) (string, error) {
		target, err := r.readlink(p)
		if refused(err) {
			if fi, lerr := r.lstat(p); lerr == nil && fi.Mode()&fs.ModeSymlink == 0 {
				return "", errInvalid
			}
		}
		return target, err
	})
	return target, pathError("readlink", name, err)
}
