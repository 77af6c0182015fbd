package sftpfs

import (
	"io"
	"io/fs"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
)

// A listing holds the entries of a directory. The first call that needs it reads it whole, so that all pages show one
// state of the directory.
type listing struct {
	read bool
	rest []fs.FileInfo
}

// Readdir is like os.File.Readdir: with n > 0 it returns at most n entries, and io.EOF when there are no more;
// otherwise it returns all that are left. The entries are in the server's order. They describe symbolic links
// themselves, not their targets.
func (f *File) Readdir(n int) ([]fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() {
		return nil, pathError("readdir", f.name, fs.ErrClosed)
	}
	if !f.dir.read {
		entries, err := f.list()
		if err != nil {
			return nil, pathError("readdir", f.name, err)
		}
		f.dir = listing{true, entries}
	}
	if n <= 0 {
		n = len(f.dir.rest)
	} else if len(f.dir.rest) == 0 {
		return []fs.FileInfo{}, io.EOF
	}
	n = min(n, len(f.dir.rest))
	page := f.dir.rest[:n:n]
	f.dir.rest = f.dir.rest[n:]
	return page, nil
}

// ReadDir is like Readdir, but returns entries. Their Info and Type need no request.
func (f *File) ReadDir(n int) ([]fs.DirEntry, error) {
	page, err := f.Readdir(n)
	entries := make([]fs.DirEntry, len(page))
	for i, fi := range page {
		entries[i] = fs.FileInfoToDirEntry(fi)
	}
	return entries, err
}

// Readdirnames is like Readdir, but returns only the names.
func (f *File) Readdirnames(n int) ([]string, error) {
	page, err := f.Readdir(n)
	if err != nil && err != io.EOF {
		return nil, err
	}
	names := make([]string, len(page))
	for i, fi := range page {
		names[i] = fi.Name()
	}
	return names, err
}

// list needs no handle, so any live session will do.
func (f *File) list() ([]fs.FileInfo, error) {
	op := func(r remote) ([]fs.FileInfo, error) { return r.list(f.path) }
	var entries []fs.FileInfo
	limited := f.fs.learnt.files.limited()
	err := error(nil)
	if !limited {
		entries, err = call(f.fs, harmless, op, nil)
	}
	if limited || declined(err) { // the server may allow no handle beside that of the File
		if err := f.handOver(); err != nil {
			return nil, err
		}
		entries, err = withFileLimit(f.fs, harmless, op, nil)
	}
	return orNoDir(entries, err, func() (fs.FileInfo, error) { return abandon.Await(f.fs.ctx, nil, f.fstat, nil) })
}

// handOver closes the handle of a directory.
func (f *File) handOver() error {
	fi, err := abandon.Await(f.fs.ctx, nil, f.fstat, nil)
	if err == nil && !fi.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return err
	}
	f.reopening.Lock()
	defer f.reopening.Unlock()
	o := f.at.Load()
	f.at.Store(&opened{remote: o.remote})
	_ = o.close() // what was only read is not lost
	return nil
}
