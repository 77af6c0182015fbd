package mirror

import (
	"errors"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/sftpsyncer/go-syncfs/internal/handle"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

type (
	// File is a handle on a file of the view.
	File = handle.File[handleLock]
	// Dir is a handle on a directory of the view.
	Dir = handle.Dir[handleLock, tree.Info]
)

var (
	_ handle.Full = (*File)(nil)
	_ handle.Full = (*Dir)(nil)
)

// openFile is what all handles of a node share while there are any.
type openFile struct {
	refs    int // guarded by state.mu
	streams int // how many of them were opened before the bytes were here; guarded by state.mu

	// bytes orders changes of the file against the moment in which they are committed: writers share it, appending,
	// truncating and committing take it alone.
	bytes    lockorder.RWMutex[bytesLock]
	starting lockorder.Mutex[startLock] // held while the node is being recorded as busy, so that nobody writes before that lasts
	busy     atomic.Bool                // the node is recorded as being written
	dirty    int                        // handles that wrote since their last commit; guarded by state.mu
	// unwritten: a file of the remote was taken out of the view, and was not written since. Guarded by state.mu.
	unwritten bool
}

// opened is what a File reads and writes whose bytes were here when it was opened: a local file. It is bound to the node, not
// the name.
type opened struct {
	m     *FS
	local *localdir.File
	adopt func(name string) (*tree.Node, error) // makes a node of a file of the user's when it is written first

	// The lock of the File guards the rest. What becomes of a file of the user's is written under state.mu, too.
	node   *tree.Node // nil: a file of the user's
	shared *openFile
	wrote  bool // since the last commit
}

var _ handle.Content = (*opened)(nil)

// OpenNode opens the local bytes of a node, which must be there. Only the access mode and O_APPEND of flag count.
func (v *View) OpenNode(n *tree.Node, name string, flag int) (*File, error) {
	o, err := v.openNode(n, n.Path(), flag)
	if err != nil {
		return nil, err
	}
	return handle.New[handleLock](o, name, flag), nil
}

func (v *View) openNode(n *tree.Node, path string, flag int) (*opened, error) {
	local, err := v.local.OpenFile(path, readToo(flag), 0)
	if err != nil {
		return nil, err
	}
	return &opened{m: v.m, local: local, node: n, shared: v.share(n)}, nil
}

// readToo opens for reading what is opened for writing: committing reads.
func readToo(flag int) int {
	if handle.Writable(flag) {
		return os.O_RDWR
	}
	return os.O_RDONLY
}

// OpenLocal opens a file of the user's. adopt makes a node of it, under the name that it has then, before it is written
// first.
func (v *View) OpenLocal(p Place, name string, flag int, adopt func(name string) (*tree.Node, error)) (*File, error) {
	local, err := v.local.OpenFile(p.Path(), readToo(flag), 0)
	if err != nil {
		return nil, err
	}
	o := &opened{m: v.m, local: local, adopt: adopt}
	if adopt != nil {
		v.usersOpen[o] = p.Path()
	}
	return handle.New[handleLock](o, name, flag), nil
}

func (o *opened) ReadAt(p []byte, off int64) (int, error) { return o.local.ReadAt(p, off) }

func (o *opened) ReadSome(p []byte, off int64) (int, error) { return o.local.ReadAt(p, off) }

func (o *opened) Size() (int64, error) {
	info, err := o.local.Stat()
	return info.Size(), err
}

func (o *opened) Stat(name string) (fs.FileInfo, error) {
	info, err := o.local.Stat()
	if err != nil {
		return nil, err
	}
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	return tree.NewInfo(name, o.m.view().openMeta(o.node, o.shared, info)), nil
}

// openMeta is the metadata of an open file, of which info describes the local bytes.
func (v *View) openMeta(n *tree.Node, shared *openFile, info localdir.Info) tree.Meta {
	switch {
	case n == nil:
		return LocalMeta(info)
	case n.Content() == tree.Owned:
		return v.shown(n)
	case shared.unwritten:
		return n.Shown()
	}
	return dirtyMeta(n, info)
}

// Change makes a change of the bytes, recorded as under way before the first of them changes.
func (o *opened) Change(alone bool, do func(*localdir.File) (int, error)) (int, error) {
	if o.m.closed() {
		return 0, fs.ErrClosed // the bytes may be another Fs's by now
	}
	if o.node == nil {
		if err := o.becomeNode(); err == errNowhere {
			return do(o.local)
		} else if err != nil {
			return 0, err
		}
	}
	s := o.shared
	if alone {
		s.bytes.Lock()
		defer s.bytes.Unlock()
	} else {
		s.bytes.RLock()
		defer s.bytes.RUnlock()
	}
	if !s.busy.Load() || !o.wrote {
		if err := o.begin(); err != nil {
			return 0, err
		}
	}
	return do(o.local)
}

// Sync makes the bytes last, and commits them to the queue.
func (o *opened) Sync() error {
	if o.shared == nil {
		return o.local.Sync()
	}
	o.shared.bytes.Lock()
	defer o.shared.bytes.Unlock()
	err := o.local.Sync()
	if err == nil {
		err = o.commit(true)
	}
	if err == nil {
		err = o.m.syncPath(o.node)
	}
	return err
}

// Close commits what was written, if no other handle is still at it.
func (o *opened) Close() (err error) {
	if o.adopt != nil && o.shared == nil {
		o.m.mu.Lock()
		delete(o.m.usersOpen, o)
		o.m.mu.Unlock()
	}
	if o.shared != nil {
		if o.wrote {
			o.shared.bytes.Lock()
			err = o.commit(false)
			o.shared.bytes.Unlock()
		}
		o.m.mu.Lock()
		o.m.unshare(o.node, o.shared)
		o.m.mu.Unlock()
	}
	return errors.Join(err, o.local.Close())
}

func (v *View) share(n *tree.Node) *openFile {
	s := v.open[n.ID]
	if s == nil {
		s = &openFile{}
		s.busy.Store(n.Content() == tree.Busy)
		v.open[n.ID] = s
	}
	s.refs++
	v.noteUsage(n)
	return s
}

// unshare takes a handle away from what all of its node share. The mirror is locked.
func (m *FS) unshare(n *tree.Node, s *openFile) {
	if s.refs--; s.refs == 0 {
		delete(m.open, n.ID)
	}
	m.noteUsage(n)
}

// noteUsage has the tree know who has a node's bytes open. Those who wait for another copy don't use a stale one.
func (m *state) noteUsage(n *tree.Node) {
	s := m.open[n.ID]
	switch {
	case s == nil:
		m.tree.SetUsage(n, tree.Unused)
	case s.refs == s.streams:
		m.tree.SetUsage(n, tree.Awaited)
	default:
		m.tree.SetUsage(n, tree.InUse)
	}
}
