package mirror

import (
	"errors"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// ShowRemoved makes the open handles of a node that leaves the view keep the size and time that it had.
func (v *View) ShowRemoved(n *tree.Node) {
	if s := v.open[n.ID]; s != nil && !n.Ours() {
		s.unwritten = true
	}
}

// Listed records whether a listing has shown that the remote has an assumed directory.
func (v *View) Listed(n *tree.Node) {
	l, ok := v.known.lists[n.RemotePath()]
	switch {
	case !ok || !n.HasBase() || n.Known == tree.Exists || n.IsRoot():
	case errors.Is(l.Err, fs.ErrNotExist):
		v.tree.Erased(n, v.Now())
	case l.Err == nil:
		v.tree.Edit(n).Known = tree.Exists
		v.tree.Touch(n)
	}
}
