package sftpfs

import (
	"io/fs"
	"syscall"
)

// ReadDir returns the entries of the named directory, like Readdir of the open directory, but without the round trips
// of opening and closing it.
func (f *Fs) ReadDir(name string) ([]fs.FileInfo, error) {
	p, err := clean(name)
	var entries []fs.FileInfo
	if err == nil {
		entries, err = withFileLimit(f, harmless, func(r remote) ([]fs.FileInfo, error) {
			entries, err := r.list(p)
			return orNoDir(entries, err, func() (fs.FileInfo, error) { return r.stat(p) })
		}, nil)
	}
	return entries, pathError("readdir", name, err)
}

// orNoDir returns syscall.ENOTDIR if stat shows that the name is not a directory: for a file, servers may return an
// empty listing or an error.
func orNoDir(entries []fs.FileInfo, err error, stat func() (fs.FileInfo, error)) ([]fs.FileInfo, error) {
	if len(entries) > 0 || err != nil && !refused(err) && !missing(err) {
		return entries, err
	}
	if fi, serr := stat(); serr == nil && !fi.IsDir() {
		return nil, syscall.ENOTDIR
	}
	if err == nil {
		entries = []fs.FileInfo{}
	}
	return entries, err
}
