package remotetest

import (
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"
)

// Before returns an Fs that calls f before each of its calls, for example to make the subject of a test forget or
// learn. Calls on open files are not calls of the Fs.
func Before(fsys interface {
	afero.Fs
	afero.Symlinker
}, f func()) afero.Fs {
	return &before{fsys, f}
}

type before struct {
	fsys interface {
		afero.Fs
		afero.Symlinker
	}
	f func()
}

var (
	_ afero.Fs        = (*before)(nil)
	_ afero.Symlinker = (*before)(nil)
)

func (b *before) Name() string { return b.fsys.Name() }

func (b *before) Open(name string) (afero.File, error) { return b.OpenFile(name, os.O_RDONLY, 0) }

func (b *before) Create(name string) (afero.File, error) {
	return b.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (b *before) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	b.f()
	return b.fsys.OpenFile(name, flag, perm)
}

func (b *before) Mkdir(name string, perm fs.FileMode) error {
	b.f()
	return b.fsys.Mkdir(name, perm)
}

func (b *before) MkdirAll(name string, perm fs.FileMode) error {
	b.f()
	return b.fsys.MkdirAll(name, perm)
}

func (b *before) Remove(name string) error {
	b.f()
	return b.fsys.Remove(name)
}

func (b *before) RemoveAll(name string) error {
	b.f()
	return b.fsys.RemoveAll(name)
}

func (b *before) Rename(oldname, newname string) error {
	b.f()
	return b.fsys.Rename(oldname, newname)
}

func (b *before) Stat(name string) (fs.FileInfo, error) {
	b.f()
	return b.fsys.Stat(name)
}

func (b *before) Chmod(name string, mode fs.FileMode) error {
	b.f()
	return b.fsys.Chmod(name, mode)
}

func (b *before) Chown(name string, uid, gid int) error {
	b.f()
	return b.fsys.Chown(name, uid, gid)
}

func (b *before) Chtimes(name string, atime, mtime time.Time) error {
	b.f()
	return b.fsys.Chtimes(name, atime, mtime)
}

func (b *before) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	b.f()
	return b.fsys.LstatIfPossible(name)
}

func (b *before) ReadlinkIfPossible(name string) (string, error) {
	b.f()
	return b.fsys.ReadlinkIfPossible(name)
}

func (b *before) SymlinkIfPossible(oldname, newname string) error {
	b.f()
	return b.fsys.SymlinkIfPossible(oldname, newname)
}
