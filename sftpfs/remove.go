package sftpfs

import (
	"fmt"
	"io/fs"
	"path"
	"sync"
	"syscall"
)

// removals is how many files RemoveAll removes at a time.
const removals = 32

// Remove removes the named file, symbolic link or empty directory. The root cannot be removed: that fails with
// syscall.EBUSY.
func (f *Fs) Remove(name string) error {
	return change(f, "remove", name, func(r remote, p string) error {
		if p == "/" {
			return syscall.EBUSY
		}
		fi, err := r.lstat(p)
		if err != nil {
			return err
		}
		return r.remove(p, fi)
	})
}

// RemoveAll removes name and everything below it, without following symbolic links. It continues after an error, and
// returns one of the errors. It returns nil if name does not exist. Of the root it removes only what is below. A path
// of more than 4095 bytes fails with syscall.ENAMETOOLONG, so that a tree ends somewhere, whatever the server says.
func (f *Fs) RemoveAll(name string) error {
	return change(f, "removeall", name, func(r remote, p string) error {
		fi, err := r.lstat(p)
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if fi.IsDir() && r.wire == nil {
			fi = r.unfollowed(p, fi) // an unknown server may have followed a symbolic link, which may lead anywhere
		}
		return remover{r, make(chan struct{}, removals)}.removeAll(p, fi)
	})
}

// remove sends the request for the type that fi states: some servers also obey the wrong one.
func (r remote) remove(p string, fi fs.FileInfo) error {
	if !fi.IsDir() {
		return r.removeFile(p)
	}
	err := r.removeDir(p)
	if refused(err) {
		if entries, lerr := r.list(p); lerr == nil && len(entries) > 0 {
			return syscall.ENOTEMPTY
		}
	}
	return err
}

// A remover is one RemoveAll.
type remover struct {
	remote
	slots chan struct{} // holds a token for each file that is being removed
}

func (r remover) removeAll(p string, fi fs.FileInfo) error {
	if fi.IsDir() {
		if err := r.removeEntries(p); err != nil {
			return err
		}
		if p == "/" {
			return nil
		}
	}
	err := r.remove(p, fi)
	if missing(err) {
		return nil
	}
	return err
}

func (r remover) removeEntries(dir string) error {
	entries, err := inTurn(r.ctx, r.learnt, func() ([]fs.FileInfo, error) { return r.list(dir) })
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var files sync.WaitGroup
	var mu sync.Mutex // guards first
	var first error
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = err
		}
	}
	for _, fi := range entries {
		p := path.Join(dir, fi.Name())
		switch {
		case r.ctx.Err() != nil:
			fail(r.ctx.Err())
		case len(r.on(p)) >= maxPath:
			fail(fmt.Errorf("%w: %s", syscall.ENAMETOOLONG, p))
		case fi.IsDir():
			fail(r.removeAll(p, fi))
		default:
			r.slots <- struct{}{}
			files.Go(func() {
				defer func() { <-r.slots }()
				fail(r.removeAll(p, fi))
			})
		}
	}
	files.Wait()
	return first
}
