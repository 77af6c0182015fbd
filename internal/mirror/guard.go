package mirror

import (
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Guard records a request that may still be carried out; see [tree.Guard]. The local bytes of what it is about are kept, and
// an answer by which the remote does not have them any more is not taken for another client's change.
func (v *View) Guard(g tree.Guard) {
	g.Since = v.Now()
	v.tree.Guard(g)
}

// Restore takes note that a late request of this side has removed a node from the remote: it is to be made again. It returns
// false if the content is not here.
func (v *View) Restore(n *tree.Node) bool {
	v.RemoteChanged()
	switch {
	case n.InView() && n.Kind == tree.Dir:
		v.tree.Edit(n).Known = tree.Absent
		v.tree.Note(n, v.Now()).Explicit = true
		v.tree.Touch(n)
	case !n.InView(), n.Kind == tree.Link, n.Dirty():
		v.tree.Erased(n, v.Now())
	case n.Content() == tree.Owned && !n.Copy().Stale:
		v.keepAttrs(n, tree.Meta{Mode: n.Meta.Mode})
		v.Orphan(n)
	default:
		return false
	}
	return true
}

// Resend takes note that a late request of this side has put a version in the place of a node's: it is to be replaced.
func (v *View) Resend(n *tree.Node, there tree.Meta) {
	if n.InView() && n.Content() == tree.Owned && !n.Copy().Stale {
		v.keepAttrs(n, there)
		v.tree.Change(n, tree.Copy{Stamp: n.Copy().Stamp})
	}
	v.tree.Edit(n).Meta = there
	if n.Diff != nil {
		n.Diff.Base = nil
	}
	v.tree.Touch(n)
}

// keepAttrs has a file that is sent again get the attributes that it had, where those of what it replaces are others.
func (v *View) keepAttrs(n *tree.Node, there tree.Meta) {
	a := &v.tree.Note(n, v.Now()).Attr
	if a.Set&tree.AttrTimes == 0 {
		a.Set |= tree.AttrTimes
		a.ATime, a.MTime = n.Meta.MTime, n.Meta.MTime
	}
	if a.Set&tree.AttrMode == 0 && n.Meta.Mode != there.Mode {
		a.Set |= tree.AttrMode
		a.Mode = n.Meta.Mode &^ fs.ModeType
	}
}
