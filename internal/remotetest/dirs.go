package remotetest

import (
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/spf13/afero"
)

// Dirs is a remote of directories without files, which may be endless. The function returns the names of the
// directories in a directory, given by its path. The remote is read-only.
type Dirs func(dir string) []string

// Open opens a directory. Every name exists.
func (d Dirs) Open(name string) (afero.File, error) {
	return &openDir{dirs: d, name: path.Clean("/" + name)}, nil
}

// OpenFile opens a directory for reading.
func (d Dirs) OpenFile(name string, flag int, _ fs.FileMode) (afero.File, error) {
	if flag != os.O_RDONLY {
		return nil, fs.ErrPermission
	}
	return d.Open(name)
}

// Stat describes a directory.
func (d Dirs) Stat(name string) (fs.FileInfo, error) { return dirInfo(path.Base(name)), nil }

// Name returns "dirs".
func (Dirs) Name() string { return "dirs" }

// Create fails.
func (Dirs) Create(string) (afero.File, error) { return nil, fs.ErrPermission }

// Mkdir fails.
func (Dirs) Mkdir(string, fs.FileMode) error { return fs.ErrPermission }

// MkdirAll fails.
func (Dirs) MkdirAll(string, fs.FileMode) error { return fs.ErrPermission }

// Remove fails.
func (Dirs) Remove(string) error { return fs.ErrPermission }

// RemoveAll fails.
func (Dirs) RemoveAll(string) error { return fs.ErrPermission }

// Rename fails.
func (Dirs) Rename(string, string) error { return fs.ErrPermission }

// Chmod fails.
func (Dirs) Chmod(string, fs.FileMode) error { return fs.ErrPermission }

// Chown fails.
func (Dirs) Chown(string, int, int) error { return fs.ErrPermission }

// Chtimes fails.
func (Dirs) Chtimes(string, time.Time, time.Time) error { return fs.ErrPermission }

type openDir struct {
	afero.File // nil: only the methods below are used
	dirs       Dirs
	name       string
	read       bool
}

func (o *openDir) Stat() (fs.FileInfo, error) { return dirInfo(path.Base(o.name)), nil }
func (o *openDir) Close() error               { return nil }

func (o *openDir) Readdir(count int) ([]fs.FileInfo, error) {
	if o.read && count > 0 {
		return nil, io.EOF
	}
	o.read = true
	var infos []fs.FileInfo
	for _, name := range o.dirs(o.name) {
		infos = append(infos, dirInfo(name))
	}
	return infos, nil
}

type dirInfo string

func (i dirInfo) Name() string       { return string(i) }
func (i dirInfo) Size() int64        { return 4096 }
func (i dirInfo) Mode() fs.FileMode  { return fs.ModeDir | 0o755 }
func (i dirInfo) ModTime() time.Time { return time.Unix(1e9, 0) }
func (i dirInfo) IsDir() bool        { return true }
func (i dirInfo) Sys() any           { return nil }
