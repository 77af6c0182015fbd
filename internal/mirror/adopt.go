package mirror

import (
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Adopt makes a node of a file of the user's: a change whose base is what the remote answers about the name.
func (v *View) Adopt(p Place) (*tree.Node, error) {
	remote, err := v.Shadow(p)
	if err != nil {
		return nil, err
	}
	var n *tree.Node
	if remote.Known == tree.Exists && remote.Kind == tree.File {
		n = v.tree.Discover(p.Dir, p.Name, tree.File, remote.Meta, v.Now())
	} else {
		n = v.tree.Create(p.Dir, p.Name, tree.File, LocalMeta(*p.Local), adoptedDest(remote), v.Now())
	}
	n.Meta.Mode = p.Local.Mode
	n.Content, n.Copy = tree.Changed, &tree.Copy{Stamp: stampOf(*p.Local), Added: true}
	v.tree.Note(n, v.Now())
	v.tree.Touch(n)
	return n, nil
}

// adoptedDest is what is known about a name that a file of the user's has taken: another kind of thing on the remote
// is not to be replaced unseen.
func adoptedDest(remote Answer) tree.Answer {
	if remote.Known == tree.Absent {
		return tree.Absent
	}
	return tree.Unknown
}

// Shadow is what the remote has under a name of the user's. That it gives no answer is an answer here: Unknown.
func (v *View) Shadow(p Place) (Answer, error) {
	if _, hidden := p.Dir.Hidden(p.Name); hidden || !p.Dir.HasBase() {
		return Answer{Known: tree.Absent, Err: fs.ErrNotExist}, nil
	}
	return v.Ask(tree.Join(p.Dir.RemotePath(), p.Name))
}

// Movable is the node of a place that is about to be moved. What the user put there becomes a change, a directory
// with all that is in it; shadow is what the remote has under its name.
func (v *View) Movable(p Place, shadow Answer) *tree.Node {
	if p.Local == nil {
		return v.Materialize(p)
	}
	isDir := p.Local.IsDir()
	switch {
	case isDir && shadow.Known == tree.Exists && shadow.Kind == tree.Dir:
		return v.tree.Discover(p.Dir, p.Name, tree.Dir, shadow.Meta, v.Now())
	case shadow.Known != tree.Absent:
		v.tree.Hide(p.Dir, p.Name, kindOr(shadow.Kind, p.Kind()), shadow.Known, shadow.Meta, v.Now()).SetTarget(shadow.Target)
	}
	return v.adoptTree(p.Dir, *p.Local)
}

// adoptTree makes a node of what the user put somewhere, and of all that is in it.
func (v *View) adoptTree(dir *tree.Node, info localdir.Info) *tree.Node {
	if !info.IsDir() {
		n := v.tree.Create(dir, info.Name, tree.File, LocalMeta(info), tree.Absent, v.Now())
		n.Content, n.Copy = tree.Changed, &tree.Copy{Stamp: stampOf(info), Added: true}
		v.tree.Touch(n)
		return n
	}
	n := v.tree.Create(dir, info.Name, tree.Dir, LocalMeta(info), tree.Absent, v.Now())
	infos, err := v.local.ReadDir(n.Path())
	if err != nil {
		v.opt.Logger.Warn("local directory not read", "name", n.Path(), "err", err)
	}
	for _, i := range infos {
		if i.IsDir() || i.IsRegular() {
			v.adoptTree(n, i)
		}
	}
	return n
}
