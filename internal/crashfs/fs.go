package crashfs

import (
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

// Options configure an Fs.
type Options struct {
	// Journal makes each File.Sync bring all operations on names to disk, in all directories, like ext4 and XFS. Otherwise
	// each directory needs its own Sync.
	Journal bool

	// Inodes gives files and directories inode numbers and change times, which FileInfo.Sys returns on Linux.
	Inodes bool

	// Now is the clock for the times of files; nil: time.Now.
	Now func() time.Time
}

// Fs is a file system in memory. It is safe for concurrent use.
type Fs struct {
	journaled bool
	inodes    bool
	now       func() time.Time

	mu      sync.Mutex // guards the fields below, all nodes and all files
	root    *node
	journal journal
}

var _ afero.Fs = (*Fs)(nil)

// New returns an empty Fs. Nil options select the defaults.
func New(opts *Options) *Fs {
	f := &Fs{now: time.Now}
	if opts != nil {
		f.journaled, f.inodes = opts.Journal, opts.Inodes
		if opts.Now != nil {
			f.now = opts.Now
		}
	}
	f.root = f.newNode(fs.ModeDir | 0o777&^umask)
	return f
}

// Name returns "crashfs".
func (f *Fs) Name() string { return "crashfs" }

// Create is OpenFile with O_RDWR|O_CREATE|O_TRUNC and permission bits 0666.
func (f *Fs) Create(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// Open is OpenFile with O_RDONLY.
func (f *Fs) Open(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDONLY, 0)
}

// OpenFile opens a file or, for reading, a directory.
func (f *Fs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.openNode(name, flag, perm)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{fs: f, node: n, name: name, flag: flag}, nil
}

func (f *Fs) openNode(name string, flag int, perm fs.FileMode) (*node, error) {
	at, err := f.locate(name)
	switch create := flag&os.O_CREATE != 0; {
	case err != nil:
		return nil, err
	case at.node == nil && !create:
		return nil, fs.ErrNotExist
	case at.node == nil:
		n := f.newNode(perm & settable &^ umask)
		f.put(at, n)
		return n, nil
	case create && flag&os.O_EXCL != 0:
		return nil, fs.ErrExist
	case at.node.isDir() && (create || flag&(os.O_WRONLY|os.O_RDWR|os.O_TRUNC) != 0):
		return nil, syscall.EISDIR
	}
	if flag&os.O_TRUNC != 0 {
		at.node.change(f.resize(0))
	}
	return at.node, nil
}

// Mkdir makes a directory.
func (f *Fs) Mkdir(name string, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.locate(name)
	switch {
	case err != nil:
	case at.node != nil:
		err = fs.ErrExist
	default:
		f.put(at, f.newDir(perm))
	}
	return pathError("mkdir", name, err)
}

// MkdirAll makes a directory and its missing ancestors.
func (f *Fs) MkdirAll(name string, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	elements, err := split(name)
	dir := f.root
	for _, e := range elements {
		next := dir.entries[e]
		if next == nil {
			next = f.newDir(perm)
			f.put(place{dir: dir, name: e}, next)
		}
		if !next.isDir() {
			err = syscall.ENOTDIR
			break
		}
		dir = next
	}
	return pathError("mkdir", name, err)
}

func (f *Fs) newDir(perm fs.FileMode) *node {
	return f.newNode(fs.ModeDir | perm&settable&^umask)
}

// Stat describes a file or directory. The result does not change later. Its Sys is nil, unless Options.Inodes is set.
func (f *Fs) Stat(name string) (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find(name)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return n.info(base(name)), nil
}

// Chmod sets the permission bits, setuid, setgid and sticky.
func (f *Fs) Chmod(name string, mode fs.FileMode) error {
	return f.set("chmod", name, func(i *inode) { i.mode = i.mode&^settable | mode&settable })
}

// Chown sets the owner; -1 leaves an ID unchanged.
func (f *Fs) Chown(name string, uid, gid int) error {
	return f.set("chown", name, func(i *inode) {
		if uid != -1 {
			i.uid = uid
		}
		if gid != -1 {
			i.gid = gid
		}
	})
}

// Chtimes sets the modification time, unless it is zero. There is no access time.
func (f *Fs) Chtimes(name string, _, mtime time.Time) error {
	return f.set("chtimes", name, func(i *inode) {
		if !mtime.IsZero() {
			i.mtime = mtime
		}
	})
}

func (f *Fs) set(op, name string, set func(*inode)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find(name)
	if err == nil {
		n.change(change{set: set, at: f.now()})
	}
	return pathError(op, name, err)
}

// resize returns the change that Truncate makes.
func (f *Fs) resize(size int64) change {
	now := f.now()
	return change{at: now, set: func(i *inode) {
		i.resize(size)
		i.mtime = now
	}}
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
