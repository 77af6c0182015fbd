package handle

import (
	"io"
	"io/fs"
	"slices"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// Listed is the content of a Dir. Its errors need not name operation and path.
type Listed[Info fs.FileInfo] interface {
	// List describes the entries, sorted by name. With bare, only their names count, which may take less time.
	List(bare bool) ([]Info, error)
	Stat(name string) (fs.FileInfo, error) // under the name that it was opened with
	Close()
}

// Dir is an open directory. The first read takes the listing, and so does the first read after a Seek to the start.
// Safe for concurrent use. Rank is the rank of its lock, which is held while the directory is listed.
type Dir[Rank lockorder.Rank, Info fs.FileInfo] struct {
	content Listed[Info]
	name    string // as it was opened

	mu     lockorder.Mutex[Rank] // guards the fields below; held while the directory is listed
	closed bool
	read   bool
	rest   []Info // still to be returned
	bare   bool   // rest has only names
}

// NewDir returns a handle on a directory that was opened with this name.
func NewDir[Rank lockorder.Rank, Info fs.FileInfo](content Listed[Info], name string) *Dir[Rank, Info] {
	return &Dir[Rank, Info]{content: content, name: name}
}

// Name returns the name that the directory was opened with.
func (d *Dir[Rank, Info]) Name() string { return d.name }

// use calls f unless the directory is closed.
func (d *Dir[Rank, Info]) use(op string, f func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := fs.ErrClosed
	if !d.closed {
		err = f()
	}
	if err == io.EOF {
		return err
	}
	return oserr.Path(op, d.name, err)
}

// fail returns err, or fs.ErrClosed if the directory is closed.
func (d *Dir[Rank, Info]) fail(op string, err error) error {
	return d.use(op, func() error { return err })
}

// Readdir returns the next count entries, sorted by name, and io.EOF when there are no more. If count is not positive, it
// returns all that are left, and never io.EOF.
func (d *Dir[Rank, Info]) Readdir(count int) ([]fs.FileInfo, error) {
	page, err := d.next(count, false)
	if err != nil {
		return nil, err
	}
	infos := make([]fs.FileInfo, len(page))
	for i, info := range page {
		infos[i] = info
	}
	return infos, nil
}

// Readdirnames is Readdir for names alone.
func (d *Dir[Rank, Info]) Readdirnames(count int) ([]string, error) {
	page, err := d.next(count, true)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(page))
	for i, info := range page {
		names[i] = info.Name()
	}
	return names, nil
}

// next returns the next entries. With bare, only their names count.
func (d *Dir[Rank, Info]) next(count int, bare bool) (page []Info, err error) {
	err = d.use("readdir", func() error {
		if err := d.list(bare); err != nil {
			return err
		}
		n := len(d.rest)
		if count > 0 {
			if n == 0 {
				return io.EOF
			}
			n = min(n, count)
		}
		page, d.rest = d.rest[:n:n], d.rest[n:]
		return nil
	})
	return page, err
}

// list takes the listing, unless it is there. Of entries that were listed by name, it describes those that still exist.
func (d *Dir[Rank, Info]) list(bare bool) error {
	if d.read && (bare || !d.bare) {
		return nil
	}
	infos, err := d.content.List(bare)
	if err != nil {
		return err
	}
	if d.read {
		names := make(map[string]bool, len(d.rest))
		for _, info := range d.rest {
			names[info.Name()] = true
		}
		infos = slices.DeleteFunc(infos, func(info Info) bool { return !names[info.Name()] })
	}
	d.rest, d.read, d.bare = infos, true, bare
	return nil
}

// Seek to the start makes the next read list the directory again. Other positions fail with syscall.EINVAL.
func (d *Dir[Rank, Info]) Seek(offset int64, whence int) (int64, error) {
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

// Stat describes the directory, whatever its name is now.
func (d *Dir[Rank, Info]) Stat() (fs.FileInfo, error) {
	if err := d.fail("stat", nil); err != nil {
		return nil, err
	}
	info, err := d.content.Stat(d.name)
	if err != nil {
		return nil, oserr.Path("stat", d.name, err)
	}
	return info, nil
}

// Close closes the handle.
func (d *Dir[Rank, Info]) Close() error {
	return d.use("close", func() error {
		d.closed = true
		d.content.Close()
		return nil
	})
}

// Sync does nothing: a directory has no bytes of its own.
func (d *Dir[Rank, Info]) Sync() error { return d.fail("sync", nil) }

// Read fails: this is a directory.
func (d *Dir[Rank, Info]) Read([]byte) (int, error) { return 0, d.fail("read", syscall.EISDIR) }

// ReadAt fails: this is a directory.
func (d *Dir[Rank, Info]) ReadAt([]byte, int64) (int, error) {
	return 0, d.fail("read", syscall.EISDIR)
}

// Write fails: this is a directory.
func (d *Dir[Rank, Info]) Write([]byte) (int, error) { return 0, d.fail("write", syscall.EBADF) }

// WriteString fails: this is a directory.
func (d *Dir[Rank, Info]) WriteString(string) (int, error) { return 0, d.fail("write", syscall.EBADF) }

// WriteAt fails: this is a directory.
func (d *Dir[Rank, Info]) WriteAt([]byte, int64) (int, error) {
	return 0, d.fail("write", syscall.EBADF)
}

// Truncate fails: this is a directory.
func (d *Dir[Rank, Info]) Truncate(int64) error { return d.fail("truncate", syscall.EINVAL) }
