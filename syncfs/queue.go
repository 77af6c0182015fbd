package syncfs

import (
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remoteclock"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// queue makes the local file with a node's name its changed content, to be pushed.
func queue(v *mirror.View, n *tree.Node, info localdir.Info) error {
	if n.Kind != tree.File {
		return fs.ErrInvalid
	}
	if n.Content() == tree.Busy {
		return ErrBusy
	}
	c := tree.Copy{Stamp: tree.Stamp(info.Stamp), Added: true, AsIs: true}
	if n.Content() == tree.Owned || n.Content() == tree.Edited { // what Discard restores
		c = c.Of(n.Copy().Version())
		c.Hash, c.Unsure, c.Stale = n.Copy().Hash, n.Copy().Unsure, n.Copy().Stale
		if n.Content() == tree.Owned && n.Copy().Stamp == c.Stamp {
			c.Fetched, c.Boot = n.Copy().Fetched, n.Copy().Boot
		}
		v.Tree().KeepBase(n, v.Now())
	}
	v.Tree().Change(n, c)
	v.Tree().Note(n, v.Now())
	return nil
}

// localSize returns the size of a node's local bytes; 0 if they are gone, or something else is in their place.
func localSize(v *mirror.View, n *tree.Node) int64 {
	info, err := v.Local().Lstat(n.Path())
	if err != nil || !info.IsRegular() {
		return 0
	}
	return info.Size()
}

// ownSent makes the changed bytes of a node a copy of the remote's, of the version in its Meta, if they are still those
// that were sent.
func ownSent(v *mirror.View, n *tree.Node, stamp tree.Stamp, hash tree.Hash) {
	info, err := v.Local().Lstat(n.Path())
	if err != nil || tree.Stamp(info.Stamp) != stamp {
		return
	}
	v.Own(n, tree.Copy{Stamp: stamp, Hash: hash, Fetched: v.Now(), Unsure: remoteclock.Unsure(n.Meta.MTime, v.Clock().Now().UnixNano())})
}

// disown reverts Add for a file of the remote. A copy, edited or not, becomes a copy again. Anything else stays in its
// place as a user's file, and the node is forgotten.
func disown(v *mirror.View, n *tree.Node) {
	if n.Copy().Hash != (tree.Hash{}) {
		c := n.Copy()
		c.Added, c.AsIs = false, false
		if c.Fetched != 0 {
			v.Own(n, c)
		} else {
			c.Stamp = tree.Stamp{} // the hash decides whether it is edited
			v.Tree().MarkEdited(n, c)
		}
		return
	}
	v.Tree().Drop(n)
	if !n.Moved() {
		v.Tree().Forget(n)
	}
}

// disclaim forgets the version that a node was a change of, and the node that it was to replace, because the remote has
// another file under its name.
func disclaim(v *mirror.View, n, replaces *tree.Node) {
	v.RemoteChanged()
	if n.HasBase() {
		v.Tree().Erased(n, v.Now())
	}
	if replaces != nil && v.Tree().Node(replaces.ID) == replaces {
		v.Tree().Erased(replaces, v.Now())
	}
}
