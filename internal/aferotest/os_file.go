package aferotest

import (
	"io"
	"io/fs"
	"os"

	"github.com/spf13/afero"
)

// osFile is an *os.File whose errors and FileInfo contain the name with which it was opened.
type osFile struct {
	f    *os.File
	name string
}

var (
	_ afero.File = (*osFile)(nil)
	_ fullFile   = (*osFile)(nil)
)

func (f *osFile) Name() string { return f.name }

func (f *osFile) Read(p []byte) (int, error) {
	n, err := f.f.Read(p)
	return n, renamed(err, f.name)
}

func (f *osFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.f.ReadAt(p, off)
	return n, renamed(err, f.name)
}

func (f *osFile) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	return n, renamed(err, f.name)
}

func (f *osFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.f.WriteAt(p, off)
	return n, renamed(err, f.name)
}

func (f *osFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f *osFile) Seek(offset int64, whence int) (int64, error) {
	n, err := f.f.Seek(offset, whence)
	return n, renamed(err, f.name)
}

func (f *osFile) Truncate(size int64) error { return renamed(f.f.Truncate(size), f.name) }
func (f *osFile) Sync() error               { return renamed(f.f.Sync(), f.name) }
func (f *osFile) Close() error              { return renamed(f.f.Close(), f.name) }

func (f *osFile) Stat() (fs.FileInfo, error) {
	fi, err := f.f.Stat()
	if err != nil {
		return nil, renamed(err, f.name)
	}
	return named(fi, f.name), nil
}

func (f *osFile) Readdir(n int) ([]fs.FileInfo, error) {
	list, err := f.f.Readdir(n)
	return list, renamed(err, f.name)
}

func (f *osFile) Readdirnames(n int) ([]string, error) {
	list, err := f.f.Readdirnames(n)
	return list, renamed(err, f.name)
}

func (f *osFile) ReadDir(n int) ([]fs.DirEntry, error) {
	list, err := f.f.ReadDir(n)
	return list, renamed(err, f.name)
}

func (f *osFile) ReadFrom(r io.Reader) (int64, error) {
	n, err := f.f.ReadFrom(r)
	return n, renamed(err, f.name)
}

func (f *osFile) WriteTo(w io.Writer) (int64, error) {
	n, err := f.f.WriteTo(w)
	return n, renamed(err, f.name)
}
