package sftptest

import (
	"io/fs"
	"time"

	"github.com/spf13/afero"
)

// A settable is a file whose attributes can be set.
type settable interface {
	Truncate(size int64) error
	Chmod(mode fs.FileMode) error
	Chown(uid, gid int) error
	Chtimes(atime, mtime time.Time) error
}

// set sets the attributes that a has.
func (a Attributes) set(to settable) error {
	if a.Size != nil {
		if err := to.Truncate(int64(*a.Size)); err != nil {
			return err
		}
	}
	if a.Mode != nil {
		if err := to.Chmod(fileMode(*a.Mode)); err != nil {
			return err
		}
	}
	if a.Owner != nil {
		if err := to.Chown(int(a.Owner.UID), int(a.Owner.GID)); err != nil {
			return err
		}
	}
	if a.Times != nil {
		return to.Chtimes(a.Times.Access, a.Times.Modify)
	}
	return nil
}

// named is the settable of a name.
type named struct {
	*tree
	name string
}

func (n named) Truncate(size int64) error            { return n.truncate(n.name, size) }
func (n named) Chmod(mode fs.FileMode) error         { return n.fs.Chmod(n.name, mode) }
func (n named) Chown(uid, gid int) error             { return n.fs.Chown(n.name, uid, gid) }
func (n named) Chtimes(atime, mtime time.Time) error { return n.fs.Chtimes(n.name, atime, mtime) }

// namedFile is the settable of an open file that has no methods to set more than its size.
type namedFile struct {
	named
	file afero.File // nil: a directory
}

func (f namedFile) Truncate(size int64) error {
	if f.file == nil {
		return fs.ErrInvalid
	}
	return f.file.Truncate(size)
}

// settable returns the open file. Files of the server's own tree in memory keep their identity when they are renamed;
// for those of another afero.Fs, the name by which they were opened has to do.
func (h *handle) settable() settable {
	if s, ok := h.file.(settable); ok {
		return s
	}
	return namedFile{named{h.session.conn.server.tree, h.path}, h.file}
}
