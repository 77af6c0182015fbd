package sftpfs

import (
	"errors"
	"io/fs"
	"os"
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
	file, err := call(f, e, func(r remote) (*File, error) {
		return withFileLimit(f, r, func(r remote) (*File, error) {
			file := &File{fs: f, name: name, path: p, flag: flag}
			file.size.Store(unstated)
			return file, file.open(r, perm)
		})
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
	h, err := f.fs.create(r, f.path, flag, perm)
	if err != nil {
		err = r.explainOpen(f.path, flag, err)
	}
	if err != nil {
		return err
	}
	o := opening(r, h)
	f.at.Store(o)
	if !f.appends() {
		return nil
	}
	fi, err := f.fstat()
	if err != nil {
		o.close()
		return err
	}
	f.end = fi.Size()
	return nil
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

// create opens p. If that creates the file, create gives it perm.
func (f *Fs) create(r remote, p string, flag int, perm fs.FileMode) (*sftp.File, error) {
	// Servers create files with mode 0666 less their umask.
	if flag&os.O_CREATE == 0 || perm&(fs.ModePerm|special) == 0o666 {
		return r.open(p, flag)
	}
	h, err := r.open(p, flag|os.O_EXCL)
	if err == nil {
		return h, f.setMode(r, h, perm)
	}
	if flag&os.O_EXCL == 0 && (refused(err) || errors.Is(err, fs.ErrExist)) {
		return r.open(p, flag) // it exists, or is a symbolic link
	}
	return nil, err
}

// setMode gives perm to the new file h. If the server refuses, the file exists all the same, and the server is not
// asked again.
func (f *Fs) setMode(r remote, h *sftp.File, perm fs.FileMode) error {
	if f.learnt.is(&f.learnt.refusesModes) {
		return nil
	}
	fi, err := h.Stat()
	if err != nil {
		h.Close()
		return r.reduce(err)
	}
	if fi.Size() > 0 {
		return nil // the server ignores O_EXCL, and the file existed before
	}
	if mode, ok := masked(perm, fi.Mode()); ok {
		err := r.reduce(h.Chmod(mode))
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
			f.learnt.note(&f.learnt.refusesModes) // refused even for a new file of its own
		}
	}
	return nil
}
