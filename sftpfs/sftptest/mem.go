package sftptest

import (
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

// A memFs is a tree in memory with the semantics of package os, for a user with all permissions.
type memFs struct {
	mu   sync.RWMutex // guards every node
	root *node
}

// A node is a file, directory or symbolic link. It lives as long as a name or an open file refers to it.
type node struct {
	mode     fs.FileMode
	atime    time.Time
	mtime    time.Time
	uid, gid int
	data     []byte           // of a file
	target   string           // of a symbolic link
	entries  map[string]*node // of a directory
}

var (
	_ afero.Fs        = (*memFs)(nil)
	_ afero.Symlinker = (*memFs)(nil)
)

func newMemFs() *memFs { return &memFs{root: newNode(fs.ModeDir | 0o755)} }

func newNode(mode fs.FileMode) *node {
	now := time.Now()
	n := &node{mode: mode, atime: now, mtime: now}
	if mode.IsDir() {
		n.entries = make(map[string]*node)
	}
	return n
}

const maxLinks = 40

// find walks to name. dir and base are the directory and the name of its last element, and n is the node of that name,
// nil if there is none. If follow is set, a symbolic link in the last element is followed.
func (m *memFs) find(name string, follow bool) (dir *node, base string, n *node, err error) {
	if strings.ContainsRune(name, 0) {
		return nil, "", nil, fs.ErrInvalid
	}
	links := 0
	n = m.root
	var up []*node // the directories above n
	rest := strings.Split(name, "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch {
		case part == "" || part == ".":
			continue
		case n == nil:
			return nil, "", nil, syscall.ENOENT
		case !n.mode.IsDir():
			return nil, "", nil, syscall.ENOTDIR
		case len(part) > maxName:
			return nil, "", nil, syscall.ENAMETOOLONG
		case part == "..":
			if len(up) > 0 {
				n, up = up[len(up)-1], up[:len(up)-1]
			}
			continue
		}
		dir, base = n, part
		n = dir.entries[base]
		if n != nil && n.mode&fs.ModeSymlink != 0 && (follow || len(rest) > 0) {
			if links++; links > maxLinks {
				return nil, "", nil, syscall.ELOOP
			}
			target := n.target
			rest = append(strings.Split(target, "/"), rest...)
			if n = dir; strings.HasPrefix(target, "/") {
				n, up = m.root, nil
			}
			continue
		}
		up = append(up, dir)
	}
	return dir, base, n, nil
}

// at runs do on the node that name leads to, with m.mu held.
func (m *memFs) at(op, name string, follow bool, do func(dir *node, base string, n *node) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, n, err := m.find(name, follow)
	if err == nil && n == nil {
		err = syscall.ENOENT
	}
	if err == nil {
		err = do(dir, base, n)
	}
	return pathError(op, name, err)
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// add puts child into the directory n, and changes n's modification time.
func (n *node) add(base string, child *node) {
	n.entries[base] = child
	n.mtime = time.Now()
}

func (n *node) drop(base string) {
	delete(n.entries, base)
	n.mtime = time.Now()
}

// make puts the new node n at name. It fails with syscall.EEXIST if name exists.
func (m *memFs) make(op, name string, n *node) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, old, err := m.find(name, false)
	switch {
	case err != nil:
	case old != nil:
		err = syscall.EEXIST
	default:
		dir.add(base, n)
	}
	return pathError(op, name, err)
}
