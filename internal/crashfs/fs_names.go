package crashfs

import (
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// put makes the name at a place refer to n, which is new.
func (f *Fs) put(at place, n *node) {
	f.edit(entryOp{edits: []edit{{at.dir, at.name, n}}, dirs: []*node{at.dir}})
}

// drop removes the name at a place.
func (f *Fs) drop(at place) {
	op := entryOp{edits: []edit{{at.dir, at.name, nil}}, dirs: []*node{at.dir}}
	if at.node.isDir() {
		op.dirs = append(op.dirs, at.node)
	}
	f.edit(op)
}

// edit makes an operation on names, in memory only.
func (f *Fs) edit(op entryOp) {
	now := f.now()
	for _, e := range op.edits {
		e.apply(e.dir.entries)
		e.dir.change(change{at: now, set: func(i *inode) { i.mtime = now }})
		if e.to != nil && e.to.ino != 0 { // a rename changes the ctime
			e.to.change(change{at: now, set: func(*inode) {}})
		}
	}
	f.journal = append(f.journal, op)
}

// Remove removes a file or an empty directory. Open handles continue to work.
func (f *Fs) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.locate(name)
	switch {
	case err != nil:
	case at.isRoot():
		err = syscall.EBUSY
	case at.node == nil:
		err = fs.ErrNotExist
	case len(at.node.entries) > 0:
		err = syscall.ENOTEMPTY
	default:
		f.drop(at)
	}
	return pathError("remove", name, err)
}

// RemoveAll removes a file, or a directory and everything in it. A missing name is no error.
func (f *Fs) RemoveAll(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.locate(name)
	switch {
	case err == fs.ErrNotExist:
		err = nil
	case err != nil:
	case at.isRoot():
		err = syscall.EBUSY
	case at.node != nil:
		f.removeAll(at)
	}
	return pathError("removeall", name, err)
}

// removeAll removes everything at a place from the leaves up, like package os, so a crash can leave a part.
func (f *Fs) removeAll(at place) {
	for _, name := range at.node.names() {
		f.removeAll(place{dir: at.node, name: name, node: at.node.entries[name]})
	}
	f.drop(at)
}

// Rename renames a file or directory. It replaces a file, never a directory. Open handles of both files continue to
// work.
func (f *Fs) Rename(oldname, newname string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.rename(oldname, newname); err != nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: err}
	}
	return nil
}

func (f *Fs) rename(oldname, newname string) error {
	from, err := f.locate(oldname)
	if err != nil {
		return err
	}
	to, err := f.locate(newname)
	switch {
	case err != nil:
		return err
	case from.node == nil:
		return fs.ErrNotExist
	case to.node != nil && to.node.isDir():
		return fs.ErrExist
	case from.isRoot():
		return syscall.EBUSY
	case from.node == to.node:
		return nil
	case from.node.isDir() && slices.Contains(to.way, from.node):
		return syscall.EINVAL
	case from.node.isDir() && to.node != nil:
		return syscall.ENOTDIR
	}
	f.edit(entryOp{
		edits: []edit{{from.dir, from.name, nil}, {to.dir, to.name, from.node}},
		dirs:  []*node{from.dir, to.dir},
		under: to.way,
	})
	return nil
}
