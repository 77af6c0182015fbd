package crashfs

import (
	"io/fs"
	"sync/atomic"
	"time"
)

// lastIno is the last inode number given, in any Fs.
var lastIno atomic.Uint64

// umask is removed from the permission bits of new files and directories.
const umask fs.FileMode = 0o022

// settable are the mode bits that Chmod sets.
const settable = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// inode is one state of a file or directory, without its names.
type inode struct {
	mode     fs.FileMode
	uid, gid int
	mtime    time.Time
	ctime    time.Time
	data     []byte
}

func (i *inode) write(p []byte, off int64) {
	end := off + int64(len(p))
	i.resize(max(end, int64(len(i.data))))
	copy(i.data[off:end], p)
}

// resize truncates the data or extends it with zeros.
func (i *inode) resize(size int64) {
	if n := int64(len(i.data)); size > n {
		i.data = append(i.data, make([]byte, size-n)...)
	} else {
		i.data = i.data[:size]
	}
}

// change is a step from one state to the next: a write, or what set does.
type change struct {
	data []byte
	off  int64
	at   time.Time // when it was made
	set  func(*inode)
}

func (c change) apply(i *inode) {
	i.ctime = c.at
	if c.set != nil {
		c.set(i)
		return
	}
	i.write(c.data, c.off)
	i.mtime = c.at
}

// node is a file or directory. Names and handles refer to it. It has two states: the visible one, and the one on disk,
// which lacks the pending changes.
type node struct {
	inode
	ino     uint64           // 0: it has no number
	entries map[string]*node // of a directory; nil for a file

	disk        inode
	diskEntries map[string]*node
	pending     []change // in order; all are in inode, none is in disk
}

// newNode returns a node of which the disk knows what it needs to be created:
// attributes, but no data and no entries.
func (f *Fs) newNode(mode fs.FileMode) *node {
	now := f.now()
	n := &node{inode: inode{mode: mode, mtime: now, ctime: now}}
	if f.inodes {
		n.ino = lastIno.Add(1)
	}
	n.disk = n.inode
	if mode.IsDir() {
		n.entries, n.diskEntries = map[string]*node{}, map[string]*node{}
	}
	return n
}

func (n *node) isDir() bool { return n.entries != nil }

func (n *node) change(c change) {
	c.apply(&n.inode)
	n.pending = append(n.pending, c)
}

// sync brings data and attributes to disk.
func (n *node) sync() {
	for _, c := range n.pending {
		c.apply(&n.disk)
	}
	n.pending = nil
}
