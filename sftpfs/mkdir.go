package sftpfs

import (
	"errors"
	"io/fs"
	"path"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// Mkdir is like os.Mkdir.
func (f *Fs) Mkdir(name string, perm fs.FileMode) error {
	return change(f, "mkdir", name, func(r remote, p string) error {
		_, err := r.makeDir(p, perm)
		return err
	})
}

// MakeDir is like Mkdir, and also returns the attributes of the new directory. With an error that matches fs.ErrExist,
// it returns the attributes of what exists, as Lstat does, or nil. If it does not learn the attributes by making the
// directory, it takes one more round trip. They are nil if the server refuses to tell them.
func (f *Fs) MakeDir(name string, perm fs.FileMode) (fs.FileInfo, error) {
	p, err := clean(name)
	if err != nil {
		return nil, pathError("mkdir", name, err)
	}
	made, err := call(f, once, func(r remote) (fs.FileInfo, error) {
		fi, err := r.makeDir(p, perm)
		if fi == nil && err == nil {
			fi, err = orUnknown(r.stat(p))
		}
		return fi, err
	}, nil)
	return made, pathError("mkdir", name, err)
}

// MkdirAll is like os.MkdirAll. It also makes the root of the Fs, with the directories on the way to it, if the server
// does not have them. If the connection is lost it may be sent twice, which makes no difference.
func (f *Fs) MkdirAll(name string, perm fs.FileMode) error {
	p, err := clean(name)
	if err == nil {
		err = run(f, repeat, func(r remote) error { return r.makeDirs(p, perm) })
	}
	return pathError("mkdir", name, err)
}

// makeDir makes a directory. It returns the attributes of the directory or, with syscall.EEXIST, of what exists; nil if
// it has not learned them.
func (r remote) makeDir(p string, perm fs.FileMode) (fs.FileInfo, error) {
	fi, err := r.makeDirPipelined(p, perm)
	if errors.Is(err, errNotPipelined) {
		fi, err = r.makeDirStepwise(p, perm)
	}
	if fi == nil || err != nil {
		return fi, err
	}
	mode, ok := masked(perm, fi.Mode())
	if !ok {
		return fi, nil
	}
	if err := r.chmod(p, mode); errors.Is(err, ErrUnavailable) {
		return nil, err
	}
	return nil, nil
}

// makeDirStepwise makes a directory. It returns the directory's attributes if its mode may not be perm and, with
// syscall.EEXIST, those of what exists.
func (r remote) makeDirStepwise(p string, perm fs.FileMode) (fs.FileInfo, error) {
	err := r.mkdir(p)
	if refused(err) {
		if there, lerr := r.lstat(p); lerr == nil {
			return there, syscall.EEXIST
		}
	}
	// Servers make directories with mode 0777 less their umask.
	if err != nil || perm&(fs.ModePerm|special) == 0o777 {
		return nil, err
	}
	return orUnknown(r.lstat(p))
}

// orUnknown returns no attributes if the server refuses to tell them, because the directory was made all the same.
func orUnknown(fi fs.FileInfo, err error) (fs.FileInfo, error) {
	if declined(err) {
		return nil, nil
	}
	return fi, err
}

// makeDirPipelined makes a directory and asks for its attributes, in one round trip.
func (r remote) makeDirPipelined(p string, perm fs.FileMode) (fs.FileInfo, error) {
	if err := r.canPipeline(r.seemsInOrder); err != nil { // on another server, the second request is in vain
		return nil, err
	}
	full := r.on(p)
	replies, err := r.exchange(wire.Mkdir(full, posixMode(perm)), wire.Lstat(full))
	if err != nil {
		return nil, err
	}
	fi, err := replies[1].Info(path.Base(p))
	switch {
	case replies[0].Is(wire.StatusFailure) && err == nil:
		return fi, syscall.EEXIST
	case replies[0].Done() != nil:
		return nil, errNotPipelined
	case err != nil:
		return orUnknown(r.lstat(p))
	}
	return fi, nil
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
	_, err = r.makeDir(p, perm)
	if errors.Is(err, fs.ErrExist) {
		// Another client was faster, or a symbolic link leads nowhere.
		if fi, serr := r.stat(p); serr == nil && !fi.IsDir() {
			return syscall.ENOTDIR
		} else if serr == nil {
			return nil
		}
	}
	return err
}

// makeAbove makes dir, a directory of the server above the root, and its parents.
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
	if refused(err) && exists() == nil { // another client was faster
		return nil
	}
	return err
}
