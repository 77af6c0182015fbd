package mirror

import (
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Restore records that a late request of this client has removed a node from the remote, so that the next push makes it
// again. It returns false if the content is not local.
func (v *View) Restore(n *tree.Node) bool {
	v.RemoteChanged()
	switch {
	case n.InView() && n.Kind == tree.Dir:
		v.tree.Edit(n).Known = tree.Absent
		v.tree.Note(n, v.Now()).Explicit = true
		v.tree.Touch(n)
	case !n.InView(), n.Kind == tree.Link, n.Dirty():
		v.tree.Erased(n, v.Now())
	case v.Intact(n) && !n.Copy().Stale:
		v.tree.KeepAttrs(n, tree.Meta{Mode: n.Meta.Mode}, v.Now())
		v.Orphan(n)
	default:
		return false
	}
	return true
}
