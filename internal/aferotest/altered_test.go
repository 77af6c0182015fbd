package aferotest

import (
	"io/fs"
	"os"

	"github.com/spf13/afero"
)

// altered is an Fs of which some methods are replaced. The others are those of
// the oracle.
type altered struct {
	osFs
	open   func(o osFs, name string, flag int, perm fs.FileMode) (afero.File, error)
	rename func(o osFs, oldname, newname string) error
	remove func(o osFs, name string) error
	stat   func(o osFs, name string) (fs.FileInfo, error)
	mkdir  func(o osFs, name string, perm fs.FileMode) error
}

func (a altered) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if a.open != nil {
		return a.open(a.osFs, name, flag, perm)
	}
	return a.osFs.OpenFile(name, flag, perm)
}

func (a altered) Open(name string) (afero.File, error) { return a.OpenFile(name, os.O_RDONLY, 0) }

func (a altered) Create(name string) (afero.File, error) {
	return a.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (a altered) Rename(oldname, newname string) error {
	if a.rename != nil {
		return a.rename(a.osFs, oldname, newname)
	}
	return a.osFs.Rename(oldname, newname)
}

func (a altered) Remove(name string) error {
	if a.remove != nil {
		return a.remove(a.osFs, name)
	}
	return a.osFs.Remove(name)
}

func (a altered) Stat(name string) (fs.FileInfo, error) {
	if a.stat != nil {
		return a.stat(a.osFs, name)
	}
	return a.osFs.Stat(name)
}

func (a altered) Mkdir(name string, perm fs.FileMode) error {
	if a.mkdir != nil {
		return a.mkdir(a.osFs, name, perm)
	}
	return a.osFs.Mkdir(name, perm)
}

// alteredFile replaces methods of each file.
type alteredFile struct {
	afero.File
	readAt  func(f afero.File, p []byte, off int64) (int, error)
	write   func(f afero.File, p []byte) (int, error)
	readdir func(f afero.File, n int) ([]fs.FileInfo, error)
	close   func(f afero.File) error
}

func (a alteredFile) ReadAt(p []byte, off int64) (int, error) {
	if a.readAt != nil {
		return a.readAt(a.File, p, off)
	}
	return a.File.ReadAt(p, off)
}

func (a alteredFile) Write(p []byte) (int, error) {
	if a.write != nil {
		return a.write(a.File, p)
	}
	return a.File.Write(p)
}

func (a alteredFile) WriteString(s string) (int, error) { return a.Write([]byte(s)) }

func (a alteredFile) Readdir(n int) ([]fs.FileInfo, error) {
	if a.readdir != nil {
		return a.readdir(a.File, n)
	}
	return a.File.Readdir(n)
}

func (a alteredFile) Close() error {
	if a.close != nil {
		return a.close(a.File)
	}
	return a.File.Close()
}

// files has every file altered.
func files(with alteredFile) altered {
	return altered{open: func(o osFs, name string, flag int, perm fs.FileMode) (afero.File, error) {
		f, err := o.OpenFile(name, flag, perm)
		if err != nil {
			return nil, err
		}
		file := with
		file.File = f
		return file, nil
	}}
}

// without drops flags.
func without(flags int) altered {
	return altered{open: func(o osFs, name string, flag int, perm fs.FileMode) (afero.File, error) {
		return o.OpenFile(name, flag&^flags, perm)
	}}
}
