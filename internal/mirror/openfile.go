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

// openFile is the state that all handles of a node share. It exists while there are any.
type openFile struct {
	refs    int // guarded by state.mu
	streams int // handles that were opened before the bytes were local; guarded by state.mu

	// bytes orders changes of the file against the moment in which they are committed: writers share it, appending,
	// truncating and committing take it alone.
	bytes    lockorder.RWMutex[bytesLock]
	starting lockorder.Mutex[startLock] // held while the node is recorded as busy: no write may precede the record
	busy     atomic.Bool                // the node is recorded as being written
	unsynced atomic.Bool                // the record that the node is being written has to be synced before the next write
	dirty    int                        // handles that wrote since their last commit; guarded by state.mu
	// unwritten: the node has left the view as a file without local changes, and was not written since. Guarded by
	// state.mu.
	unwritten bool
}

// opened is the content of a File whose bytes were local when it was opened: a local file. It is bound to the node, not
// the name.
type opened struct {
	m     *FS
	local *localdir.File
	adopt func(name string) (*tree.Node, error) // makes a node of a user's file before its first write

	// The lock of the File guards the fields below. becomeNode, which sets node and shared, holds state.mu as well.
	node   *tree.Node // nil: a user's file
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

// readToo returns the access mode of the local file: a handle that writes can read, too.
func readToo(flag int) int {
	if handle.Writable(flag) {
		return os.O_RDWR
	}
	return os.O_RDONLY
}

// OpenLocal opens a user's file. Before the first write, adopt makes a node of it, under the name that it has by then.
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

// openMeta returns the metadata of an open file; info describes its local bytes.
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

// Change runs do, which changes the bytes. It records that the file is being written before the first byte changes.
func (o *opened) Change(alone bool, do func(*localdir.File) (int, error)) (int, error) {
	if o.m.closed() {
		return 0, fs.ErrClosed // another Fs may own the bytes by now
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
	if !s.busy.Load() || !o.wrote || s.unsynced.Load() {
		if err := o.begin(); err != nil {
			return 0, err
		}
	}
	return do(o.local)
}

// Sync syncs the bytes, and commits them to the queue.
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

// Close commits what was written, if no other handle has unfinished writes.
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

// unshare removes a handle from the state that those of its node share. m.mu is held.
func (m *FS) unshare(n *tree.Node, s *openFile) {
	if s.refs--; s.refs == 0 {
		delete(m.open, n.ID)
	}
	m.noteUsage(n)
}

// noteUsage tells the tree whether a node's bytes are open. Handles that wait for another copy don't use a stale one.
// m.mu is held.
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
