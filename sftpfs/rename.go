package sftpfs

import (
	"io/fs"
	"syscall"
)

// Rename is os.Rename: it replaces an existing file atomically, and refuses an existing directory. Where the server
// does not offer to replace, it refuses an existing file as well, with fs.ErrExist.
func (f *Fs) Rename(oldname, newname string) error {
	oldp, err := clean(oldname)
	if err != nil {
		return linkError("rename", oldname, newname, err)
	}
	newp, err := clean(newname)
	if err == nil {
		err = run(f, once, func(r remote) error { return r.move(oldp, newp) })
	}
	return linkError("rename", oldname, newname, err)
}

// move looks at the target first, since posix-rename replaces an empty directory, which package os does not.
func (r remote) move(oldp, newp string) error {
	target, err := r.lstat(newp)
	switch {
	case err != nil && !missing(err):
		return err
	case err == nil && target.IsDir():
		if _, err := r.lstat(oldp); err != nil {
			return err
		}
		return syscall.EEXIST
	case err == nil && oldp == newp:
		return nil
	}
	err = r.rename(oldp, newp)
	if !refused(err) && !missing(err) {
		return err
	}
	source, lerr := r.lstat(oldp)
	if lerr != nil {
		return lerr
	}
	return whyNotMoved(oldp, newp, source, target, err)
}

// whyNotMoved explains a refused rename by what there is. target is nil if there is none. OpenSSH answers
// NO_SUCH_FILE for a directory that would replace a file, FAILURE for one that would move into itself.
func whyNotMoved(oldp, newp string, source, target fs.FileInfo, err error) error {
	switch {
	case target != nil && source.IsDir():
		return syscall.ENOTDIR
	case missing(err): // the directory it should move to
		return err
	case target != nil:
		return syscall.EEXIST
	case source.IsDir() && inside(newp, oldp):
		return errInvalid
	}
	return err
}
