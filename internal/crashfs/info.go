package crashfs

import (
	"io"
	"io/fs"
	"maps"
	"slices"
	"syscall"
	"time"
)

// info is a snapshot of a node.
type info struct {
	name  string
	size  int64
	mode  fs.FileMode
	mtime time.Time
	sys   any
}

func (n *node) info(name string) fs.FileInfo {
	return info{name: name, size: int64(len(n.data)), mode: n.mode, mtime: n.mtime, sys: n.sys()}
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.mtime }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return i.sys }

// names returns the sorted names in a directory.
func (n *node) names() []string { return slices.Sorted(maps.Keys(n.entries)) }

func (f *file) Readdirnames(n int) ([]string, error) {
	infos, err := f.Readdir(n)
	names := make([]string, len(infos))
	for i, fi := range infos {
		names[i] = fi.Name()
	}
	return names, err
}

// Readdir pages through the directory as it was at the first call.
func (f *file) Readdir(n int) (page []fs.FileInfo, err error) {
	err = f.do("readdir", func() error {
		if !f.node.isDir() {
			return syscall.ENOTDIR
		}
		if !f.listed {
			f.listed, f.left = true, nil
			for _, name := range f.node.names() {
				f.left = append(f.left, f.node.entries[name].info(name))
			}
		}
		if n > 0 && len(f.left) == 0 {
			return io.EOF
		}
		if n <= 0 || n > len(f.left) {
			n = len(f.left)
		}
		page, f.left = f.left[:n:n], f.left[n:]
		return nil
	})
	return page, err
}
