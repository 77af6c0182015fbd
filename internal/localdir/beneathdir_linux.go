package localdir

import (
	"errors"
	"io/fs"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// lastDir is the directory of the names that were last described, held open: a walk describes one after the other. With
// it, that takes two short system calls and no new descriptor, instead of open, stat and close.
type lastDir struct {
	mu   sync.Mutex // guards the following
	name string     // of the directory that was last asked about
	at   *beneathFile
	ino  unix.Stat_t // of at
}

var errNotLast = errors.New("not the last directory")

// lstat describes a name. The error is errNotLast if the directory is not open, or is not the one that has its name now.
// Nothing outside is described: the open directory was reached without leaving, and it is described by a single name.
func (d *lastDir) lstat(b *beneath, local string) (Info, error) {
	dir, base := filepath.Dir(local), filepath.Base(local)
	if base == "." || base == ".." {
		return Info{}, errNotLast
	}
	in, err := d.open(b, dir)
	if err != nil {
		return Info{}, err
	}
	var s unix.Stat_t
	_, err = in.do(func(fd int) (int, error) { return 0, unix.Fstatat(fd, base, &s, unix.AT_SYMLINK_NOFOLLOW) })
	if errors.Is(err, fs.ErrClosed) { // it is not the last one any more
		err = errNotLast
	}
	if err != nil {
		return Info{}, err
	}
	return infoOf(base, &s), nil
}

// open returns the directory if it is open and still has this name. The second time in a row that it is asked for, it is
// opened.
func (d *lastDir) open(b *beneath, dir string) (*beneathFile, error) {
	if dir == "." {
		return &b.dir, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.name != dir {
		d.close()
		d.name = dir
		return nil, errNotLast
	}
	if d.at == nil {
		at, err := b.at(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
		if err == nil {
			_, err = at.do(func(fd int) (int, error) { return 0, unix.Fstat(fd, &d.ino) })
		}
		if err != nil {
			return nil, errNotLast
		}
		d.at = at
		return at, nil
	}
	var now unix.Stat_t
	_, err := b.dir.do(func(fd int) (int, error) { return 0, unix.Fstatat(fd, dir, &now, unix.AT_SYMLINK_NOFOLLOW) })
	if err != nil || now.Dev != d.ino.Dev || now.Ino != d.ino.Ino {
		d.close()
		return nil, errNotLast
	}
	return d.at, nil
}

// close closes the directory. mu is held.
func (d *lastDir) close() {
	if d.at != nil {
		_ = d.at.Close()
	}
	d.name, d.at = "", nil
}
