package sftpfs

import (
	"io/fs"
	"path"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// removals is how many files of one directory RemoveAll removes at a time.
const removals = 32

// Remove removes the named file, link or empty directory. The root itself can't be removed.
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

// RemoveAll removes name and what is below it, without following links. It goes on after an error, of which it
// returns one, and nil when there is nothing of that name. Of the root it removes what is below it.
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
			fi = r.unfollowed(p, fi) // by a server of which nothing is known, and whose links may lead anywhere
		}
		return r.removeAll(p, fi)
	})
}

// remove sends the one request that fits: some servers obey the other one too.
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

func (r remote) removeAll(p string, fi fs.FileInfo) error {
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

func (r remote) removeEntries(dir string) error {
	entries, err := r.list(dir)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var files errgroup.Group
	files.SetLimit(removals)
	var first error
	for _, fi := range entries {
		p := path.Join(dir, fi.Name())
		if !fi.IsDir() {
			files.Go(func() error { return r.removeAll(p, fi) })
		} else if err := r.removeAll(p, fi); err != nil && first == nil {
			first = err
		}
	}
	if err := files.Wait(); err != nil {
		return err
	}
	return first
}
