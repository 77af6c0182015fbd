package sftptest

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

func (m *memFs) Name() string { return "sftptest" }

func (m *memFs) Create(name string) (afero.File, error) {
	return m.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (m *memFs) Open(name string) (afero.File, error) { return m.OpenFile(name, os.O_RDONLY, 0) }

func (m *memFs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	exclusive := flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL
	dir, base, n, err := m.find(name, !exclusive)
	switch {
	case err != nil:
	case n == nil && flag&os.O_CREATE == 0:
		err = syscall.ENOENT
	case n == nil:
		n = newNode(perm.Perm())
		dir.add(base, n)
	case exclusive:
		err = syscall.EEXIST
	case n.mode.IsDir() && flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC) != 0:
		err = syscall.EISDIR
	case flag&os.O_TRUNC != 0:
		n.resize(0)
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &memFile{fs: m, node: n, name: name, flag: flag}, nil
}

func (m *memFs) Mkdir(name string, perm fs.FileMode) error {
	return m.make("mkdir", name, newNode(fs.ModeDir|perm.Perm()))
}

func (m *memFs) MkdirAll(name string, perm fs.FileMode) error {
	if fi, err := m.Stat(name); err == nil {
		if !fi.IsDir() {
			return pathError("mkdir", name, syscall.ENOTDIR)
		}
		return nil
	}
	if err := m.MkdirAll(path.Dir(path.Clean("/"+name)), perm); err != nil {
		return err
	}
	err := m.Mkdir(name, perm)
	if fi, serr := m.Stat(name); serr == nil && fi.IsDir() {
		return nil // perhaps made by another call
	}
	return err
}

func (m *memFs) Remove(name string) error {
	return m.at("remove", name, false, func(dir *node, base string, n *node) error {
		switch {
		case n == m.root:
			return syscall.EBUSY
		case len(n.entries) > 0:
			return syscall.ENOTEMPTY
		}
		dir.drop(base)
		return nil
	})
}

func (m *memFs) RemoveAll(name string) error {
	err := m.at("removeall", name, false, func(dir *node, base string, n *node) error {
		if n == m.root {
			clear(n.entries)
			return nil
		}
		dir.drop(base)
		return nil
	})
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	return err
}

func (m *memFs) Rename(oldname, newname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.rename(oldname, newname); err != nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: err}
	}
	return nil
}

func (m *memFs) rename(oldname, newname string) error {
	from, oldbase, n, err := m.find(oldname, false)
	if err != nil {
		return err
	}
	to, newbase, old, err := m.find(newname, false)
	switch {
	case err != nil:
		return err
	case n == nil:
		return syscall.ENOENT
	case old != nil && old.mode.IsDir():
		return syscall.EEXIST
	case n == old:
		return nil
	case n == m.root || n.holds(to):
		return syscall.EINVAL
	case old != nil && n.mode.IsDir():
		return syscall.ENOTDIR
	}
	from.drop(oldbase)
	to.add(newbase, n)
	return nil
}

// holds reports whether d is n or below it.
func (n *node) holds(d *node) bool {
	if n == d {
		return true
	}
	for _, e := range n.entries {
		if e.mode.IsDir() && e.holds(d) {
			return true
		}
	}
	return false
}

func (m *memFs) Stat(name string) (fi fs.FileInfo, err error) { return m.info("stat", name, true) }

func (m *memFs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, err := m.info("lstat", name, false)
	return fi, true, err
}

func (m *memFs) info(op, name string, follow bool) (fi fs.FileInfo, err error) {
	err = m.at(op, name, follow, func(_ *node, _ string, n *node) error {
		fi = n.info(path.Base(name))
		return nil
	})
	return fi, err
}

func (m *memFs) Chmod(name string, mode fs.FileMode) error {
	return m.at("chmod", name, true, func(_ *node, _ string, n *node) error { return n.chmod(mode) })
}

func (m *memFs) Chown(name string, uid, gid int) error {
	return m.at("chown", name, true, func(_ *node, _ string, n *node) error { return n.chown(uid, gid) })
}

func (m *memFs) Chtimes(name string, atime, mtime time.Time) error {
	return m.at("chtimes", name, true, func(_ *node, _ string, n *node) error { return n.chtimes(atime, mtime) })
}

func (f *memFile) Chmod(mode fs.FileMode) error {
	return f.with("chmod", -1, func(n *node) error { return n.chmod(mode) })
}

func (f *memFile) Chown(uid, gid int) error {
	return f.with("chown", -1, func(n *node) error { return n.chown(uid, gid) })
}

func (f *memFile) Chtimes(atime, mtime time.Time) error {
	return f.with("chtimes", -1, func(n *node) error { return n.chtimes(atime, mtime) })
}

func (n *node) chmod(mode fs.FileMode) error {
	const bits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	n.mode = n.mode&^bits | mode&bits
	return nil
}

func (n *node) chown(uid, gid int) error {
	n.uid, n.gid = uid, gid
	return nil
}

func (n *node) chtimes(atime, mtime time.Time) error {
	if !atime.IsZero() {
		n.atime = atime
	}
	if !mtime.IsZero() {
		n.mtime = mtime
	}
	return nil
}

func (m *memFs) SymlinkIfPossible(target, name string) error {
	n := newNode(fs.ModeSymlink | 0o777)
	n.target = target
	if err := m.make("symlink", name, n); err != nil {
		return &os.LinkError{Op: "symlink", Old: target, New: name, Err: errors.Unwrap(err)}
	}
	return nil
}

func (m *memFs) ReadlinkIfPossible(name string) (target string, err error) {
	err = m.at("readlink", name, false, func(_ *node, _ string, n *node) error {
		if n.mode&fs.ModeSymlink == 0 {
			return syscall.EINVAL
		}
		target = n.target
		return nil
	})
	return target, err
}
