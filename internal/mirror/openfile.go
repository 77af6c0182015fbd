package mirror

import (
	"os"
	"sync/atomic"

	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
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

// OpenNode opens the local bytes of a node, which must be there. Only the access mode and O_APPEND of flag count.
func (v *View) OpenNode(n *tree.Node, name string, flag int) (*File, error) {
	return v.openNode(n, n.Path(), name, flag)
}

func (v *View) openNode(n *tree.Node, path, name string, flag int) (*File, error) {
	local, err := v.local.OpenFile(path, readToo(flag), 0)
	if err != nil {
		return nil, err
	}
	return &File{m: v.m, name: name, flag: flag, bytes: localContent{local}, local: local, node: n, shared: v.share(n)}, nil
}

// readToo opens for reading what is opened for writing: committing reads.
func readToo(flag int) int {
	if writable(flag) {
		return os.O_RDWR
	}
	return os.O_RDONLY
}

func writable(flag int) bool { return flag&(os.O_WRONLY|os.O_RDWR) != 0 }

// OpenLocal opens a file of the user's. adopt makes a node of it, under the name that it has then, before it is written
// first.
func (v *View) OpenLocal(p Place, name string, flag int, adopt func(name string) (*tree.Node, error)) (*File, error) {
	local, err := v.local.OpenFile(p.Path(), readToo(flag), 0)
	if err != nil {
		return nil, err
	}
	f := &File{m: v.m, name: name, flag: flag, bytes: localContent{local}, local: local, adopt: adopt}
	if adopt != nil {
		v.usersOpen[f] = p.Path()
	}
	return f, nil
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
func (m *FS) unshare(n *tree.Node, f *File) {
	if _, ok := f.bytes.(*stream); ok {
		f.shared.streams--
	}
	if f.shared.refs--; f.shared.refs == 0 {
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

// IsOpen says whether a node has open handles.
func (v *View) IsOpen(n *tree.Node) bool { return v.open[n.ID] != nil }
