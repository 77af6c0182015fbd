package mirror

import (
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remoteclock"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Queue makes the local file that stands under a node's name its content, to be pushed.
func (v *View) Queue(n *tree.Node, info localdir.Info) error {
	if n.Kind != tree.File {
		return fs.ErrInvalid
	}
	if n.Content() == tree.Busy {
		return ErrBusy
	}
	c := tree.Copy{Stamp: tree.Stamp(info.Stamp), Added: true, AsIs: true}
	if n.Content() == tree.Owned || n.Content() == tree.Edited { // what it goes back to when it is discarded
		c.Hash, c.Unsure, c.Stale, c.Version = n.Copy().Hash, n.Copy().Unsure, n.Copy().Stale, n.Copy().Version
		if n.Content() == tree.Owned && n.Copy().Stamp == c.Stamp {
			c.Fetched = n.Copy().Fetched
		}
		v.tree.KeepBase(n, v.Now())
	}
	v.tree.Change(n, c)
	v.tree.Note(n, v.Now())
	return nil
}

// LocalSize is the size of a node's local bytes; 0 if they are gone, or something else is in their place.
func (v *View) LocalSize(n *tree.Node) int64 {
	info, err := v.local.Lstat(n.Path())
	if err != nil || !info.IsRegular() {
		return 0
	}
	return info.Size()
}

// Sent makes the changed bytes of a node a copy of the remote's, of the version in its Meta, if they are still those
// that were sent.
func (v *View) Sent(n *tree.Node, stamp tree.Stamp, hash tree.Hash) {
	info, err := v.local.Lstat(n.Path())
	if err != nil || tree.Stamp(info.Stamp) != stamp {
		return
	}
	v.own(n, tree.Copy{Stamp: stamp, Hash: hash, Fetched: v.Now(), Unsure: remoteclock.Unsure(n.Meta.MTime, v.clock.At(v.opt.Now()))})
}

// Disown takes a change back that Add made of a file of the remote's. A copy, edited or not, is that again; anything else
// stays where it is as the user's, and the node is known no more.
func (v *View) Disown(n *tree.Node) {
	if n.Copy().Hash != (tree.Hash{}) {
		c := n.Copy()
		c.Added, c.AsIs = false, false
		if c.Fetched != 0 {
			v.own(n, c)
		} else {
			c.Stamp = tree.Stamp{} // the hash tells whether it is edited
			v.tree.MarkEdited(n, c)
		}
		return
	}
	v.tree.Drop(n)
	if !n.Moved() {
		v.tree.Forget(n)
	}
}

// Disclaim forgets which version of the remote a node was a change of, and one that it was to replace: what the
// remote has under its name is another file.
func (v *View) Disclaim(n, replaces *tree.Node) {
	v.RemoteChanged()
	if n.HasBase() {
		v.tree.Erased(n, v.Now())
	}
	if replaces != nil && v.tree.Node(replaces.ID) == replaces {
		v.tree.Erased(replaces, v.Now())
	}
}
