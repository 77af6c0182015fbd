package sftpfs

import (
	"errors"
	"io/fs"
	"path"
	"syscall"
)

// Mkdir is os.Mkdir.
func (f *Fs) Mkdir(name string, perm fs.FileMode) error {
	return change(f, "mkdir", name, func(r remote, p string) error { return r.makeDir(p, perm) })
}

// MkdirAll is os.MkdirAll. What it makes includes the root of the Fs, with the directories that Config.Root names on
// the way to it, if the server does not have them. It may be sent twice, which makes no difference.
func (f *Fs) MkdirAll(name string, perm fs.FileMode) error {
	p, err := clean(name)
	if err == nil {
		err = run(f, again, func(r remote) error { return r.makeDirs(p, perm) })
	}
	return pathError("mkdir", name, err)
}

func (r remote) makeDir(p string, perm fs.FileMode) error {
	err := r.mkdir(p)
	if refused(err) {
		if _, lerr := r.lstat(p); lerr == nil {
			return syscall.EEXIST
		}
	}
	// Servers make a directory with 0777 less their umask.
	if err != nil || perm&(fs.ModePerm|special) == 0o777 {
		return err
	}
	fi, err := r.lstat(p)
	if err != nil {
		return err
	}
	if mode, ok := masked(perm, fi.Mode()); ok {
		if err := r.chmod(p, mode); errors.Is(err, ErrUnavailable) {
			return err
		}
	}
	return nil
}

func (r remote) makeDirs(p string, perm fs.FileMode) error {
	fi, err := r.stat(p)
	switch {
	case err == nil && fi.IsDir():
		return nil
	case err == nil:
		return syscall.ENOTDIR
	case !missing(err):
		return err
	}
	if p == "/" {
		err = r.makeAbove(path.Dir(r.root))
	} else {
		err = r.makeDirs(path.Dir(p), perm)
	}
	if err != nil {
		return err
	}
	err = r.makeDir(p, perm)
	if errors.Is(err, fs.ErrExist) {
		// Someone else was faster, or a link leads nowhere.
		if fi, serr := r.stat(p); serr == nil && !fi.IsDir() {
			return syscall.ENOTDIR
		} else if serr == nil {
			return nil
		}
	}
	return err
}

// makeAbove makes a directory of the server that the root is below, and those above it.
func (r remote) makeAbove(dir string) error {
	exists := func() error {
		_, err := ask(r, "/", func(string) (fs.FileInfo, error) { return r.client.Stat(dir) })
		return err
	}
	err := exists()
	if !missing(err) || dir == "/" {
		return err
	}
	if err := r.makeAbove(path.Dir(dir)); err != nil {
		return err
	}
	err = tell(r, "/", func(string) error { return r.client.Mkdir(dir) })
	if refused(err) && exists() == nil { // someone else was faster
		return nil
	}
	return err
}
