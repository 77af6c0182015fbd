package syncfs

import (
	"errors"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// localMoves collects the changes of the local directory that belong to a Discard. First everything leaves its place,
// then it moves to the place that it has on the remote. What the user has put there by hand belongs to no node, and
// stays. If the place is taken, a copy is deleted, and anything else moves to localdir.DiscardedDir.
type localMoves struct {
	v         *mirror.View
	out, back []action
	leaves    map[string]string // vacated name -> where its file goes first
	emptied   map[string]bool   // directories that are removed if they are empty then
	filled    map[string]bool   // names that the merge of two directories fills
	was       map[*tree.Node]string
	yielded   map[*tree.Node]bool // nodes whose place the user has taken
}

func (l *localMoves) leave(from, to string) {
	l.leaves[from] = to
	l.out = append(l.out, action{Kind: tree.RenameLocal, From: from, To: to})
}

func (l *localMoves) rmdir(name string) {
	l.emptied[name] = true
	l.out = append(l.out, action{Kind: tree.RmdirLocal, From: name})
}

// discard moves a file to where discarded contents are kept, unless the user has put something else in its place.
func (l *localMoves) discard(name string) {
	if info, err := l.v.Local().Lstat(name); err != nil || info.IsRegular() {
		l.leave(name, l.v.DiscardedName())
	}
}

// fileAt reports whether something that is not a directory has a name, and belongs to no node.
func (l *localMoves) fileAt(name string) bool {
	info, err := l.v.Local().Lstat(name)
	n := l.v.Tree().Lookup(name)
	return err == nil && !info.IsDir() && (n == nil || !n.Local())
}

// takeAway moves the local bytes of a node out of their place, until bringBack.
func (l *localMoves) takeAway(n *tree.Node) {
	name := n.Path()
	if !here(l.v, n, name) {
		return
	}
	if info, err := l.v.Local().Lstat(name); err == nil && !info.IsRegular() && !(info.IsDir() && n.Kind == tree.Dir) {
		l.v.Drop(n) // what is there is the user's
		return
	}
	l.was[n] = name
	l.leave(name, l.v.TrashName())
}

// now returns the present path of what will be under a directory's name.
func (l *localMoves) now(dir *tree.Node) string {
	if dir.IsRoot() {
		return "."
	}
	if was, ok := l.was[dir]; ok && !l.yielded[dir] {
		return was
	}
	return tree.Join(l.now(dir.Parent()), dir.Name())
}

// taken reports whether a name is still taken when everything has left its place, and whether by a directory.
func (l *localMoves) taken(name string) (isDir, taken bool) {
	if _, left := l.leaves[name]; left || name == "." {
		return name == ".", name == "."
	}
	if l.filled[name] {
		return false, true
	}
	info, err := l.v.Local().Lstat(name)
	if err != nil { // a file in the place of a directory above leaves no room for anything below
		dir, _ := tree.Split(name)
		isDir, taken := l.taken(dir)
		return false, taken && !isDir
	}
	if l.emptied[name] && l.isEmptied(name) {
		return false, false
	}
	return info.IsDir(), true
}

func (l *localMoves) isEmptied(dir string) bool {
	infos, err := l.v.Local().ReadDir(dir)
	for _, info := range infos {
		if _, taken := l.taken(tree.Join(dir, info.Name)); taken {
			return false
		}
	}
	return err == nil
}

// place returns the present path of what will be under a node's name.
func (l *localMoves) place(n *tree.Node) string { return tree.Join(l.now(n.Parent()), n.Name()) }

// isTaken reports whether the user has something in the place of a node.
func (l *localMoves) isTaken(n *tree.Node) bool {
	isDir, taken := l.taken(l.place(n))
	return taken && !(isDir && n.Kind == tree.Dir)
}

// bringBack moves the local bytes of a node to its place. The directories above are in their places already.
func (l *localMoves) bringBack(n *tree.Node) {
	if l.v.Tree().Node(n.ID) != n {
		return // forgotten, because its directory has no place
	}
	was, waits := l.was[n]
	isDir, taken := l.taken(l.place(n))
	switch {
	case taken && isDir && n.Kind == tree.Dir:
		l.yielded[n] = true
		if waits {
			l.merge(n, was, l.leaves[was], l.place(n), n.Path())
		}
	case taken:
		l.giveUp(n)
	case waits:
		l.back = append(l.back, action{Kind: tree.RenameLocal, From: l.leaves[was], To: n.Path()})
	}
}

// merge moves the entries of a directory into one that the user has made. The directory was under one name, and waits
// under another.
func (l *localMoves) merge(dir *tree.Node, was, waiting, place, to string) {
	infos, err := l.v.Local().ReadDir(was)
	if err != nil { // all of it is kept
		l.back = append(l.back, action{Kind: tree.RenameLocal, From: waiting, To: l.v.DiscardedName()})
		return
	}
	for _, info := range infos {
		name := info.Name
		if _, stays := l.taken(tree.Join(was, name)); !stays {
			continue
		}
		k := (*tree.Node)(nil)
		if dir != nil {
			k = dir.Kid(name)
		}
		from := tree.Join(waiting, name)
		switch isDir, taken := l.taken(tree.Join(place, name)); {
		case !taken:
			l.filled[tree.Join(place, name)] = true
			l.back = append(l.back, action{Kind: tree.RenameLocal, From: from, To: tree.Join(to, name)})
		case isDir && info.IsDir():
			l.merge(k, tree.Join(was, name), from, tree.Join(place, name), tree.Join(to, name))
		case k != nil && k.Kind == tree.File && l.isCopy(k, info):
			l.v.Drop(k)
		default:
			l.back = append(l.back, action{Kind: tree.RenameLocal, From: from, To: l.v.DiscardedName()})
			if k != nil {
				l.v.Drop(k)
			}
		}
	}
}

// giveUp leaves the place of a node to what the user has put there. It forgets the node and everything below it, except
// what is queued.
func (l *localMoves) giveUp(n *tree.Node) {
	if was, waits := l.was[n]; waits && l.precious(n, was) {
		l.back = append(l.back, action{Kind: tree.RenameLocal, From: l.leaves[was], To: l.v.DiscardedName()})
	}
	l.yielded[n] = true
	l.v.Drop(n)
	var kids []*tree.Node
	n.Kids(func(k *tree.Node) { kids = append(kids, k) })
	for _, k := range kids {
		l.giveUp(k)
	}
	if !n.Differs() && !n.HasKids() {
		l.v.Tree().Forget(n)
	}
}

// precious reports whether anything but copies of the remote's files is under the name that a node had.
func (l *localMoves) precious(n *tree.Node, name string) bool {
	info, err := l.v.Local().Lstat(name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	if _, left := l.leaves[name]; left && l.was[n] != name {
		return false
	}
	if !info.IsDir() {
		return n == nil || !l.isCopy(n, info)
	}
	infos, err := l.v.Local().ReadDir(name)
	for _, info := range infos {
		var k *tree.Node
		if n != nil {
			k = n.Kid(info.Name)
		}
		if l.precious(k, tree.Join(name, info.Name)) {
			return true
		}
	}
	return err != nil
}

// isCopy reports whether a local file is the unchanged copy of a node.
func (l *localMoves) isCopy(n *tree.Node, info localdir.Info) bool {
	return n.Content() == tree.Owned && n.Copy().Stamp == tree.Stamp(info.Stamp)
}
