package memremote

import (
	"io"
	"io/fs"
	"sync"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// dirFile is an open directory. It lists what is under its name when it is read first, and again after a Seek to the
// start.
type dirFile struct {
	fsys  *Fs
	name  string // as it was opened
	clean string

	mu     sync.Mutex // guards what follows
	closed bool
	read   bool
	rest   []localdir.Info // still to be returned
}

var _ afero.File = (*dirFile)(nil)

// use runs f unless the directory is closed.
func (d *dirFile) use(op string, f func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := fs.ErrClosed
	if !d.closed {
		err = f()
	}
	return pathError(op, d.name, err)
}

func (d *dirFile) refuse(op string, err error) error { return d.use(op, func() error { return err }) }

func (d *dirFile) Name() string { return d.name }

func (d *dirFile) Readdir(count int) ([]fs.FileInfo, error) {
	var page []fs.FileInfo
	err := d.use("readdir", func() (err error) {
		page, err = d.next(count)
		return err
	})
	return page, err
}

func (d *dirFile) Readdirnames(count int) ([]string, error) {
	page, err := d.Readdir(count)
	names := make([]string, len(page))
	for i, fi := range page {
		names[i] = fi.Name()
	}
	return names, err
}

func (d *dirFile) next(count int) ([]fs.FileInfo, error) {
	if !d.read {
		rest, err := d.fsys.dir.ReadDir(d.clean)
		if err != nil {
			return nil, err
		}
		d.rest, d.read = rest, true
	}
	n := len(d.rest)
	if count > 0 {
		if n == 0 {
			return nil, io.EOF
		}
		n = min(n, count)
	}
	page := make([]fs.FileInfo, n)
	for i := range page {
		page[i] = info{d.rest[i]}
	}
	d.rest = d.rest[n:]
	return page, nil
}

func (d *dirFile) Seek(offset int64, whence int) (int64, error) {
	return 0, d.use("seek", func() error {
		if offset != 0 || whence == io.SeekEnd {
			return syscall.EINVAL
		}
		if whence == io.SeekStart {
			d.read, d.rest = false, nil
		}
		return nil
	})
}

func (d *dirFile) Stat() (fi fs.FileInfo, err error) {
	err = d.use("stat", func() error {
		fi, err = d.fsys.Stat(d.name)
		return err
	})
	return fi, err
}

func (d *dirFile) Close() error {
	return d.use("close", func() error {
		d.closed = true
		return nil
	})
}

func (d *dirFile) Sync() error                        { return d.refuse("sync", nil) }
func (d *dirFile) Read([]byte) (int, error)           { return 0, d.refuse("read", syscall.EISDIR) }
func (d *dirFile) ReadAt([]byte, int64) (int, error)  { return 0, d.refuse("read", syscall.EISDIR) }
func (d *dirFile) Write([]byte) (int, error)          { return 0, d.refuse("write", syscall.EBADF) }
func (d *dirFile) WriteString(string) (int, error)    { return 0, d.refuse("write", syscall.EBADF) }
func (d *dirFile) WriteAt([]byte, int64) (int, error) { return 0, d.refuse("write", syscall.EBADF) }
func (d *dirFile) Truncate(int64) error               { return d.refuse("truncate", syscall.EINVAL) }
