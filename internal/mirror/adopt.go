package mirror

import (
	"fmt"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Adopt makes a node of a file of the user's that is about to be changed. The program was shown that file, and not what the
// remote has under its name: the base is a file of that content, or none. The error matches fs.ErrInvalid if it is no
// regular file.
func (v *View) Adopt(p Place) (*tree.Node, error) {
	if !p.Local.IsRegular() {
		return nil, fmt.Errorf("%w: not a regular file", fs.ErrInvalid)
	}
	remote, err := v.Shadow(p)
	if err != nil {
		return nil, err
	}
	var shown *tree.Hash
	if remote.Known != tree.Absent {
		if shown, err = v.contentOf(p); err != nil {
			return nil, err
		}
	}
	var n *tree.Node
	if remote.Known == tree.Exists && remote.Kind == tree.File {
		n = v.tree.Discover(p.Dir, p.Name, tree.File, remote.Meta, v.Now())
		n.Known = tree.Unknown
	} else {
		n = v.tree.Create(p.Dir, p.Name, tree.File, LocalMeta(*p.Local), adoptedDest(remote), v.Now())
	}
	n.Meta.Mode = p.Local.Mode
	v.tree.Change(n, tree.Copy{Stamp: tree.Stamp(p.Local.Stamp), Added: true})
	v.tree.Note(n, v.Now()).Base = shown
	return n, nil
}

// contentOf is the hash of a file of the user's.
func (v *View) contentOf(p Place) (*tree.Hash, error) {
	name := p.Path()
	h, ok := v.known.users[name]
	if !ok || h.err == nil && h.stamp != tree.Stamp(p.Local.Stamp) {
		return nil, need{func(m *FS, k *knowledge) error {
			put(&k.users, name, m.hash(name))
			return nil
		}}
	}
	return &h.hash, h.err
}

// adoptedDest is what is known about a name that a file of the user's has taken: another kind of thing on the remote
// is not to be replaced unseen.
func adoptedDest(there remote.Answer) tree.Answer {
	if there.Known == tree.Absent {
		return tree.Absent
	}
	return tree.Unknown
}

// Shadow is what the remote has under a name of the user's. That it gives no answer is an answer here: Unknown. Where
// records were lost, the file may be a copy, and what it hides a version that nobody has seen.
func (v *View) Shadow(p Place) (remote.Answer, error) {
	if _, hidden := p.Dir.Hidden(p.Name); hidden || !p.Dir.HasBase() {
		return remote.Answer{Known: tree.Absent, Err: fs.ErrNotExist}, nil
	}
	a, err := v.Ask(tree.Join(p.Dir.RemotePath(), p.Name))
	if err == nil && v.store.Lost() && a.Known != tree.Absent && p.Local.IsRegular() {
		a.Shown, err = v.contentOf(p)
	}
	return a, err
}

// Movable is the node of a place that is about to be moved. What the user put there becomes a change, a directory
// with all that is in it; shadow is what the remote has under its name.
func (v *View) Movable(p Place, shadow remote.Answer) *tree.Node {
	if p.Local == nil {
		return v.Materialize(p)
	}
	isDir := p.Local.IsDir()
	switch {
	case isDir && shadow.Known == tree.Exists && shadow.Kind == tree.Dir:
		return v.tree.Discover(p.Dir, p.Name, tree.Dir, shadow.Meta, v.Now())
	case shadow.Known != tree.Absent:
		v.hide(p, shadow)
	}
	return v.adoptTree(p.Dir, *p.Local)
}

// hide takes what the remote has under a name of the user's out of the view.
func (v *View) hide(p Place, shadow remote.Answer) {
	n := v.tree.Hide(p.Dir, p.Name, kindOr(shadow.Kind, p.Kind()), shadow.Known, shadow.Meta, v.Now())
	n.SetTarget(shadow.Target)
	v.tree.Note(n, v.Now()).Base = shadow.Shown
}

// adoptTree makes a node of what the user put somewhere, and of all that is in it.
func (v *View) adoptTree(dir *tree.Node, info localdir.Info) *tree.Node {
	if !info.IsDir() {
		n := v.tree.Create(dir, info.Name, tree.File, LocalMeta(info), tree.Absent, v.Now())
		v.tree.Change(n, tree.Copy{Stamp: tree.Stamp(info.Stamp), Added: true})
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
