package localdir

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// rootPath is the path of the root of any afero.Fs.
const rootPath = string(filepath.Separator)

// realDir is a directory of this machine's file system.
type realDir struct {
	root    *os.Root
	beneath *beneath // nil: not available
	path    string
	escapes error // the error of root for a symbolic link that leads outside; package os does not export it
}

// basePath returns the path of the root of fsys, if it is one of the two kinds of Fs for a directory of this machine. A
// wrapper may have a RealPath, too, but must see the calls, so it does not count.
func basePath(fsys afero.Fs) (string, bool) {
	path := rootPath
	switch f := fsys.(type) {
	case *afero.OsFs:
	case *afero.BasePathFs:
		var err error
		if path, err = f.RealPath(rootPath); err != nil {
			return "", false
		}
	default:
		return "", false
	}
	path, err := filepath.Abs(path)
	return path, err == nil
}

// nameOf returns a name for an Fs that could not be opened.
func nameOf(fsys afero.Fs) string {
	if path, ok := basePath(fsys); ok {
		return path
	}
	return fsys.Name()
}

// openReal returns fsys as a real directory, or nil if it is not proven to be one.
func openReal(fsys afero.Fs) *realDir {
	path, ok := basePath(fsys)
	if !ok {
		return nil
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil
	}
	if !sameRoot(fsys, root) {
		root.Close()
		return nil
	}
	_, err = root.Lstat("..")
	return &realDir{root: root, beneath: openBeneath(path, root), path: path, escapes: oserr.Cause(err)}
}

// sameRoot reports whether the root of fsys is the directory that root has open, with nothing in between: the
// BasePathFs may be on an Fs that injects faults, keeps its files in memory or joins two directories.
func sameRoot(fsys afero.Fs, root *os.Root) bool {
	if _, ok, err := fsys.(afero.Lstater).LstatIfPossible(rootPath); err != nil || !ok {
		return false
	}
	f, err := fsys.Open(rootPath)
	if err != nil {
		return false
	}
	defer f.Close()
	if b, ok := f.(*afero.BasePathFile); ok {
		f = b.File
	}
	osFile, ok := f.(*os.File)
	if !ok {
		return false
	}
	got, err := osFile.Stat()
	if err != nil {
		return false
	}
	want, err := root.Stat(".")
	return err == nil && os.SameFile(got, want)
}

func (r *realDir) close() error {
	r.beneath.close()
	return r.root.Close()
}

// err converts an error of r.root.
func (r *realDir) err(err error) error {
	if err = oserr.Cause(err); err != nil && err == r.escapes {
		return ErrEscapes
	}
	return err
}

func (r *realDir) lstat(local string) (Info, error) {
	if info, err := r.beneath.lstat(local); err == nil || err == syscall.ENOENT {
		return info, err
	}
	fi, err := r.root.Lstat(local)
	if err != nil {
		return Info{}, r.err(err)
	}
	return realInfo(filepath.Base(local), fi), nil
}

func realInfo(name string, fi fs.FileInfo) Info {
	info := newInfo(name, fi)
	info.Stamp.inode(fi)
	return info
}

func (r *realDir) readDir(local string, bare bool) ([]Info, error) {
	f, err := r.root.OpenFile(local, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, r.err(err)
	}
	defer f.Close()
	var infos []Info
	if bare {
		names, err := f.Readdirnames(-1)
		for _, name := range names {
			infos = append(infos, Info{Name: name})
		}
		return infos, r.err(err)
	}
	fis, err := f.Readdir(-1)
	for _, fi := range fis {
		infos = append(infos, realInfo(fi.Name(), fi))
	}
	return infos, r.err(err)
}

func (r *realDir) openFile(local string, flag int, perm fs.FileMode) (handle, error) {
	switch flag {
	case os.O_RDONLY:
		if f, err := r.beneath.open(local); err == nil {
			return f, nil
		}
	case os.O_RDWR | os.O_CREATE | os.O_EXCL:
		if f, err := r.beneath.create(local, perm); err == nil {
			return f, nil
		}
	}
	f, err := r.root.OpenFile(local, flag|nonblock, perm)
	if err != nil {
		return nil, r.err(err)
	}
	fi, err := f.Stat()
	if err == nil {
		err = wantRegular(fi)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return realFile{f}, nil
}

func (r *realDir) mkdir(local string, perm fs.FileMode) error {
	return r.err(r.root.Mkdir(local, perm))
}

func (r *realDir) mkdirAll(local string, perm fs.FileMode) error {
	err := r.err(r.root.MkdirAll(local, perm))
	if err == syscall.EEXIST {
		return syscall.ENOTDIR // as os.MkdirAll, unlike os.Root
	}
	return err
}

func (r *realDir) remove(local string) error { return r.err(r.root.Remove(local)) }

func (r *realDir) removeAll(local string) error { return r.err(r.root.RemoveAll(local)) }

func (r *realDir) rename(oldlocal, newlocal string) error {
	if r.beneath.rename(oldlocal, newlocal) == nil {
		return nil
	}
	return r.err(r.root.Rename(oldlocal, newlocal))
}

func (r *realDir) chmod(local string, mode fs.FileMode) error {
	return r.err(r.root.Chmod(local, mode))
}

func (r *realDir) chtimes(local string, atime, mtime time.Time) error {
	return r.err(r.root.Chtimes(local, atime, mtime))
}

func (r *realDir) syncDir(local string) error {
	f, err := r.root.OpenFile(local, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return r.err(err)
	}
	return syncDirFile(f)
}

// realFile is an open regular file of a realDir.
type realFile struct{ *os.File }

func (f realFile) info(name string) (Info, error) {
	fi, err := f.Stat()
	if err != nil {
		return Info{}, err
	}
	return realInfo(name, fi), nil
}
