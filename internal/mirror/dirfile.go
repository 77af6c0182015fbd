package mirror

import (
	"io"
	"io/fs"
	"path"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// DirFile is an open directory: a handle on the node, which lists what is there when it is read first, and again
// after a Seek to the start. Safe for concurrent use.
type DirFile struct {
	m    *FS
	name string
	node *tree.Node

	mu     lockorder.Mutex[handleLock] // guards what follows; held while the directory is listed
	closed bool
	read   bool
	rest   []Info // still to be returned
}

var _ afero.File = (*DirFile)(nil)

// OpenDir opens a directory of the view.
func (v *View) OpenDir(n *tree.Node, name string) *DirFile {
	v.openDirs[n.ID]++
	return &DirFile{m: v.m, name: name, node: n}
}

// Name is the name the directory was opened with.
func (d *DirFile) Name() string { return d.name }

// Readdir returns the next count entries, sorted by name, and io.EOF when there are no more; all that are left, and
// no io.EOF, if count is not positive.
func (d *DirFile) Readdir(count int) ([]fs.FileInfo, error) {
	infos, err := d.next(count)
	if infos == nil {
		return nil, err
	}
	out := make([]fs.FileInfo, len(infos))
	for i, info := range infos {
		out[i] = info
	}
	return out, err
}

// Readdirnames is Readdir for names alone.
func (d *DirFile) Readdirnames(count int) ([]string, error) {
	infos, err := d.next(count)
	if infos == nil {
		return nil, err
	}
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.name
	}
	return names, err
}

func (d *DirFile) next(count int) ([]Info, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, PathError("readdir", d.name, fs.ErrClosed)
	}
	if !d.read {
		infos, err := d.list()
		if err != nil {
			return nil, PathError("readdir", d.name, err)
		}
		d.rest, d.read = infos, true
	}
	n := len(d.rest)
	if count > 0 {
		if n == 0 {
			return nil, io.EOF
		}
		n = min(n, count)
	}
	page := d.rest[:n:n]
	d.rest = d.rest[n:]
	if page == nil {
		page = []Info{}
	}
	return page, nil
}

func (d *DirFile) list() (infos []Info, err error) {
	err = d.m.Do(func(v *View) error {
		if !d.node.InView() || v.tree.Node(d.node.ID) != d.node {
			infos = nil // removed while open
			return nil
		}
		infos, err = v.List(d.node)
		return err
	})
	return infos, err
}

// Seek to the start lists the directory anew.
func (d *DirFile) Seek(offset int64, whence int) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, PathError("seek", d.name, fs.ErrClosed)
	}
	if offset != 0 || whence == io.SeekEnd {
		return 0, PathError("seek", d.name, syscall.EINVAL)
	}
	if whence == io.SeekStart {
		d.read, d.rest = false, nil
	}
	return 0, nil
}

// Stat describes the directory, whatever its name is now.
func (d *DirFile) Stat() (fs.FileInfo, error) {
	if err := d.fail("stat", nil); err != nil {
		return nil, err
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	return Info{path.Base("/" + d.name), d.m.view().shown(d.node)}, nil
}

// fail is err, or that the directory is closed.
func (d *DirFile) fail(op string, err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		err = fs.ErrClosed
	}
	return PathError(op, d.name, err)
}

// Close ends the handle.
func (d *DirFile) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return PathError("close", d.name, fs.ErrClosed)
	}
	d.closed = true
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if d.m.openDirs[d.node.ID]--; d.m.openDirs[d.node.ID] == 0 {
		delete(d.m.openDirs, d.node.ID)
	}
	return nil
}

// Sync does nothing: what is made in a directory is recorded when it is made.
func (d *DirFile) Sync() error { return d.fail("sync", nil) }

// Read fails: this is a directory.
func (d *DirFile) Read([]byte) (int, error) { return 0, d.fail("read", syscall.EISDIR) }

// ReadAt fails: this is a directory.
func (d *DirFile) ReadAt([]byte, int64) (int, error) { return 0, d.fail("read", syscall.EISDIR) }

// Write fails: this is a directory.
func (d *DirFile) Write([]byte) (int, error) { return 0, d.fail("write", syscall.EBADF) }

// WriteString fails: this is a directory.
func (d *DirFile) WriteString(string) (int, error) { return 0, d.fail("write", syscall.EBADF) }

// WriteAt fails: this is a directory.
func (d *DirFile) WriteAt([]byte, int64) (int, error) { return 0, d.fail("write", syscall.EBADF) }

// Truncate fails: this is a directory.
func (d *DirFile) Truncate(int64) error { return d.fail("truncate", syscall.EINVAL) }
