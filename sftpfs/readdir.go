package sftpfs

import (
	"io/fs"
	"syscall"
)

// ReadDir returns what is in the named directory, as Readdir of the open directory does, and is spared the round trips
// of opening and closing it.
func (f *Fs) ReadDir(name string) ([]fs.FileInfo, error) {
	entries, err := look(f, name, func(r remote, p string) ([]fs.FileInfo, error) {
		return withFileLimit(f, r, func(r remote) ([]fs.FileInfo, error) {
			entries, err := r.list(p)
			return orNoDir(entries, err, func() (fs.FileInfo, error) { return r.stat(p) })
		})
	})
	return entries, pathError("readdir", name, err)
}

// orNoDir finds out whether what is there is no directory: an empty answer, or an error, is also what servers give for
// a file.
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
