package syncfs

import (
	"fmt"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// adoptFile makes a node of a user's file that is about to be changed. The program has seen that file, and not the
// remote's file of the same name: the base is a file with the same content, or none. The error matches fs.ErrInvalid if
// it is not a regular file.
func adoptFile(v *mirror.View, p mirror.Place) (*tree.Node, error) {
	if !p.Local.IsRegular() {
		return nil, fmt.Errorf("%w: not a regular file", fs.ErrInvalid)
	}
	there, err := shadowOf(v, p)
	if err != nil {
		return nil, err
	}
	var shown *tree.Hash
	if there.Known != tree.Absent {
		if shown, err = v.UsersContent(p); err != nil {
			return nil, err
		}
	}
	var n *tree.Node
	if there.Known == tree.Exists && there.Kind == tree.File {
		n = v.Tree().Discover(p.Dir, p.Name, tree.File, there.Meta, v.Now())
		n.Known = tree.Unknown
	} else {
		n = v.Tree().Create(p.Dir, p.Name, tree.File, mirror.LocalMeta(*p.Local), adoptedDest(there), v.Now())
	}
	n.Meta.Mode = p.Local.Mode
	v.Tree().Change(n, tree.Copy{Stamp: tree.Stamp(p.Local.Stamp), Added: true})
	v.Tree().Note(n, v.Now()).Base = shown
	return n, nil
}

// adoptedDest returns what is known about the remote's name that a user's file has taken. An entry of another kind
// counts as unknown, so that it is not replaced unseen.
func adoptedDest(there remote.Answer) tree.Answer {
	if there.Known == tree.Absent {
		return tree.Absent
	}
	return tree.Unknown
}

// shadowOf returns what the remote has under the name of a user's entry. If the remote is unreachable, that is the
// answer Unknown, not an error. If records were lost, the user's file may be a copy, and the remote may have a later
// version that nobody has seen: Shown is then the hash of the file, which the remote's content is compared with.
func shadowOf(v *mirror.View, p mirror.Place) (remote.Answer, error) {
	if _, hidden := p.Dir.Hidden(p.Name); hidden || !p.Dir.HasBase() {
		return remote.Answer{Known: tree.Absent, Err: fs.ErrNotExist}, nil
	}
	a, err := v.Ask(tree.Join(p.Dir.RemotePath(), p.Name))
	if err == nil && v.RecordsLost() && a.Known != tree.Absent && p.Local.IsRegular() {
		a.Shown, err = v.UsersContent(p)
	}
	return a, err
}

// movable returns the node of a place that is about to be moved. A user's file becomes a change, and so does a user's
// directory with all its entries. shadow is what the remote has under its name.
func movable(v *mirror.View, p mirror.Place, shadow remote.Answer) *tree.Node {
	if p.Local == nil {
		return v.Materialize(p)
	}
	isDir := p.Local.IsDir()
	switch {
	case isDir && shadow.Known == tree.Exists && shadow.Kind == tree.Dir:
		return v.Tree().Discover(p.Dir, p.Name, tree.Dir, shadow.Meta, v.Now())
	case shadow.Known != tree.Absent:
		hide(v, p, shadow)
	}
	return adoptTree(v, p.Dir, *p.Local)
}

// hide removes from the view what the remote has under the name of a user's entry.
func hide(v *mirror.View, p mirror.Place, shadow remote.Answer) {
	n := v.Tree().Hide(p.Dir, p.Name, kindOr(shadow.Kind, p.Kind()), shadow.Known, shadow.Meta, v.Now())
	n.SetTarget(shadow.Target)
	v.Tree().Note(n, v.Now()).Base = shadow.Shown
}

// adoptTree makes nodes of a user's entry and of all that is in it.
func adoptTree(v *mirror.View, dir *tree.Node, info localdir.Info) *tree.Node {
	if !info.IsDir() {
		n := v.Tree().Create(dir, info.Name, tree.File, mirror.LocalMeta(info), tree.Absent, v.Now())
		v.Tree().Change(n, tree.Copy{Stamp: tree.Stamp(info.Stamp), Added: true})
		return n
	}
	n := v.Tree().Create(dir, info.Name, tree.Dir, mirror.LocalMeta(info), tree.Absent, v.Now())
	infos, err := v.Local().ReadDir(n.Path())
	if err != nil {
		v.Logger().Warn("local directory not read", "name", n.Path(), "err", err)
	}
	for _, i := range infos {
		if i.IsDir() || i.IsRegular() {
			adoptTree(v, n, i)
		}
	}
	return n
}
