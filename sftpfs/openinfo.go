package sftpfs

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"syscall"
)

// info returns the attributes of the open file p. If the server does not tell those of a handle, info asks by the name,
// which may lead to another file by now. If the server does not tell these either while the file is open, info looks for
// them in the listing of the directory.
func (o *opened) info(p string) (fs.FileInfo, error) {
	if o.handle == nil {
		return o.stat(p)
	}
	asksHandle := !o.learnt.refusesFstat.Load()
	if asksHandle {
		fi, err := snapshot(p)(o.handle.Stat())
		if err = o.reduce(err); !declined(err) {
			return fi, err
		}
	}
	fi, err := o.stat(p)
	switch {
	case err == nil && asksHandle:
		o.learnt.refusesFstat.Store(true)
	case declined(err):
		if listed, lerr := o.fromListing(p); lerr == nil || missing(lerr) {
			o.learnt.locks.Store(true)
			return listed, lerr
		}
	}
	return fi, err
}

// fromListing returns the attributes of the file p as the listing of its directory has them.
func (r remote) fromListing(p string) (fs.FileInfo, error) {
	entries, err := r.list(path.Dir(p))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(entries, func(fi fs.FileInfo) bool { return fi.Name() == path.Base(p) })
	switch {
	case i < 0:
		return nil, syscall.ENOENT
	case !entries[i].Mode().IsRegular():
		return nil, errors.ErrUnsupported // it may be a symbolic link to the file
	}
	return entries[i], nil
}
