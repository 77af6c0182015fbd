package remotetest

import (
	"io/fs"
	"os"

	"github.com/spf13/afero"
)

// Sizeless is an Fs that states size 0 for each file, like /proc and some servers.
type Sizeless struct{ afero.Fs }

type sizelessInfo struct{ fs.FileInfo }

func (sizelessInfo) Size() int64 { return 0 }

func sizeless(fi fs.FileInfo, err error) (fs.FileInfo, error) {
	if err != nil || fi.IsDir() {
		return fi, err
	}
	return sizelessInfo{fi}, nil
}

// Stat describes a file without its size.
func (s Sizeless) Stat(name string) (fs.FileInfo, error) { return sizeless(s.Fs.Stat(name)) }

// Open opens a file whose Stat states no size.
func (s Sizeless) Open(name string) (afero.File, error) { return s.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile opens a file whose Stat states no size.
func (s Sizeless) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := s.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return sizelessFile{f}, nil
}

type sizelessFile struct{ afero.File }

func (f sizelessFile) Stat() (fs.FileInfo, error) { return sizeless(f.File.Stat()) }

func (f sizelessFile) Readdir(n int) ([]fs.FileInfo, error) {
	infos, err := f.File.Readdir(n)
	for i, fi := range infos {
		infos[i], _ = sizeless(fi, nil)
	}
	return infos, err
}
