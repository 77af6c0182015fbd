package sftpfs

import (
	"errors"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
)

const (
	access  = os.O_RDONLY | os.O_WRONLY | os.O_RDWR
	mutates = os.O_WRONLY | os.O_RDWR | os.O_CREATE | os.O_TRUNC | os.O_APPEND
)

// OpenFile is like os.OpenFile. It gives perm to the file only if it creates the file. Flags that SFTP does not have
// are ignored.
func (f *Fs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	p, err := clean(name)
	if err == nil && flag&access == access {
		err = invalid.Argument
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	e := harmless
	if flag&mutates != 0 {
		e = once
	}
	file, err := withFileLimit(f, e, func(r remote) (*File, error) {
		file := &File{fs: f, name: name, path: p, flag: flag}
		file.size.Store(unstated)
		return file, file.open(r, perm)
	}, (*File).abandon)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return file, nil
}

// open opens the file's handle.
func (f *File) open(r remote, perm fs.FileMode) error {
	flag := f.flag
	if !f.writable() {
		flag &^= os.O_APPEND // asyncssh would open the file for writing
	}
	before := new(atomic.Pointer[version])
	switch {
	case f.flag&mutates != 0:
	case r.learnt.locks.Load():
		if fi, err := r.stat(f.path); err == nil {
			v := versionOf(fi)
			f.before = fi
			before.Store(&v)
		}
	default:
		before = r.askBefore(f.path)
	}
	h, made, err := r.create(f.path, flag, perm)
	if err != nil {
		err = r.explainOpen(f.path, flag, err)
	}
	if err != nil {
		return err
	}
	o := opening(r, h, before)
	f.at.Store(o)
	if made {
		err = f.giveMode(o, perm)
	}
	if err == nil && f.appends() {
		f.end, err = f.endNow()
	}
	if err != nil {
		o.close()
	}
	return err
}

// endNow returns where the file ends. A file that the server will show only when it is closed is new, and empty.
func (f *File) endNow() (int64, error) {
	fi, err := f.fstat()
	if err == nil {
		return fi.Size(), nil
	}
	if f.flag&os.O_CREATE != 0 && missing(err) {
		return 0, nil
	}
	return 0, err
}

// explainOpen finds the reason why p could not be opened. It returns nil for a directory opened for reading on a server
// that has no handles for directories: listing the directory needs no handle.
func (r remote) explainOpen(p string, flag int, err error) error {
	denied := errors.Is(err, fs.ErrPermission) // ProFTPD's answer for a directory
	if !refused(err) && !denied && !errors.Is(err, syscall.EISDIR) {
		return err
	}
	if flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL {
		if _, lerr := r.lstat(p); lerr == nil {
			return syscall.EEXIST
		}
		return err
	}
	fi, serr := r.stat(p)
	switch {
	case serr != nil || !fi.IsDir():
		return err
	case flag&mutates != 0:
		return syscall.EISDIR
	case denied:
		if _, lerr := r.list(p); lerr != nil {
			return err
		}
	}
	return nil
}

// create opens p. made reports that it has made a file, which is to be given the mode perm.
func (r remote) create(p string, flag int, perm fs.FileMode) (h *sftp.File, made bool, err error) {
	// Servers create files with mode 0666 less their umask.
	if flag&os.O_CREATE == 0 || perm&(fs.ModePerm|special) == 0o666 {
		h, err = r.open(p, flag)
		return h, false, err
	}
	h, err = r.open(p, flag|os.O_EXCL)
	if err == nil {
		return h, true, nil
	}
	if flag&os.O_EXCL != 0 || !refused(err) && !errors.Is(err, fs.ErrExist) {
		return nil, false, err
	}
	there, thereErr := r.open(p, flag&^os.O_CREATE)
	if !missing(thereErr) {
		return there, false, thereErr
	}
	if _, lerr := r.lstat(p); lerr == nil { // a symbolic link that leads nowhere
		h, err = r.open(p, flag)
		return h, false, err
	}
	h, err = r.open(p, flag|os.O_EXCL) // it was refused for another reason, or is gone
	return h, err == nil, err
}
