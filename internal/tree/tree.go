package tree

import (
	"path"
	"strings"
)

// Tree holds the nodes. The zero value is not usable; see [New] and [Replay].
type Tree struct {
	root    *Node
	nodes   table
	pending map[ID]*Node // nodes that differ
	intents map[ID]*Node // nodes with an intent
	touched map[ID]*Node // changed since the last Take; nil: dropped
	saved   map[*Node]saved
	facts   map[*Node]fact // since the last Commit
	guards  map[ID]*Guard  // requests that may still be carried out

	touchedGuards map[ID]*Guard // changed since the last Take; nil: dropped
	savedGuards   map[ID]*Guard // as they were when the transaction began; nil: did not exist

	lastID ID
	seq    uint64

	owned Sum    // bytes
	order Node   // head of the ring of evictable copies: order.newer is the oldest, order.older the newest
	uses  uint64 // count of uses of copies
}

// New returns a tree that has only the root.
func New() *Tree {
	root := &Node{ID: 1, Kind: Dir, Known: Exists, recorded: true}
	root.base = root
	t := &Tree{
		root:    root,
		nodes:   table{},
		pending: map[ID]*Node{},
		intents: map[ID]*Node{},
		touched: map[ID]*Node{},
		saved:   map[*Node]saved{},
		facts:   map[*Node]fact{},
		guards:  map[ID]*Guard{},

		touchedGuards: map[ID]*Guard{},
		savedGuards:   map[ID]*Guard{},

		lastID: 1,
	}
	t.nodes.put(root)
	t.order.older, t.order.newer = &t.order, &t.order
	return t
}

// Root returns the root directory.
func (t *Tree) Root() *Node { return t.root }

// Node returns the node with that ID; nil if it is gone.
func (t *Tree) Node(id ID) *Node { return t.nodes.get(id) }

// Dir returns the directory with that ID; nil if it is gone, or is no directory (a damaged log may name anything).
func (t *Tree) Dir(id ID) *Node {
	if n := t.nodes.get(id); n != nil && n.Kind == Dir {
		return n
	}
	return nil
}

// Lookup returns the node of a clean path in the view, without following symbolic links; nil if there is none.
func (t *Tree) Lookup(path string) *Node {
	n := t.root
	for rest := path; rest != "" && rest != "." && n != nil; {
		var element string
		element, rest, _ = strings.Cut(rest, "/")
		n = n.Kid(element)
	}
	return n
}

// Nodes calls f for every node but the root, in no order.
func (t *Tree) Nodes(f func(*Node)) {
	for n := range t.nodes.all() {
		if !n.IsRoot() {
			f(n)
		}
	}
}

// Pending calls f for every node that differs, in no order.
func (t *Tree) Pending(f func(*Node)) {
	for _, n := range t.pending {
		f(n)
	}
}

// Intents calls f for every node with an intent, in no order.
func (t *Tree) Intents(f func(*Node)) {
	for _, n := range t.intents {
		f(n)
	}
}

// Seq returns the number of the last transaction that was taken.
func (t *Tree) Seq() uint64 { return t.seq }

// PendingLen returns the number of nodes that differ.
func (t *Tree) PendingLen() int { return len(t.pending) }

func (t *Tree) add(kind Kind) *Node {
	t.lastID++
	n := &Node{ID: t.lastID, Kind: kind}
	t.save(n)
	t.nodes.put(n)
	return n
}

// Discover adds a node that the remote has under name in directory dir, with the view at the same place. It stays in
// memory only, until something is recorded about it or below it.
func (t *Tree) Discover(dir *Node, name string, kind Kind, meta Meta, now int64) *Node {
	n := t.add(kind)
	n.Known, n.Meta, n.Checked = Exists, meta, now
	t.link(n, dir, name)
	t.rebase(n, dir, name)
	t.Adopt(dir)
	return n
}

// Adopt records that the remote has a directory, if that was only assumed.
func (t *Tree) Adopt(dir *Node) {
	if !dir.Assumed() {
		return
	}
	t.Edit(dir).Known = Exists
	if dir.recorded {
		t.Touch(dir)
	}
}

// Assume adds a directory that the program relies on before the remote was asked. The remote is assumed to have it;
// otherwise the next Push of something below it makes it. Like a node of Discover, it stays in memory only, until
// something is recorded about it or below it.
func (t *Tree) Assume(dir *Node, name string, meta Meta, now int64) *Node {
	if dir.base == nil || dir.OnRemote(name) != nil { // the name was removed or renamed here
		return t.Create(dir, name, Dir, meta, Absent, now)
	}
	n := t.add(Dir)
	n.Meta = meta
	t.link(n, dir, name)
	t.rebase(n, dir, name)
	return n
}

// Create adds a node that is made on this side. dest is what the remote is known to have under the name.
func (t *Tree) Create(dir *Node, name string, kind Kind, meta Meta, dest Answer, now int64) *Node {
	n := t.add(kind)
	n.Meta = meta
	t.link(n, dir, name)
	dir.Stir(now)
	t.Note(n, now).Dest = dest
	t.Touch(n)
	return n
}

// Hide adds a node for an entry of the remote that the program removes or replaces. known and meta are all that is
// known about that entry.
func (t *Tree) Hide(dir *Node, name string, kind Kind, known Answer, meta Meta, now int64) *Node {
	n := t.add(kind)
	n.Known, n.Meta, n.Checked = known, meta, now
	t.rebase(n, dir, name)
	dir.Stir(now)
	t.Note(n, now)
	t.Touch(n)
	return n
}

// Note returns the node's Diff for writing, and makes it if there is none.
func (t *Tree) Note(n *Node, now int64) *Diff {
	t.save(n)
	if n.Diff == nil {
		n.Diff = &Diff{Seq: t.seq + 1, Queued: now}
	}
	return n.Diff
}

// KeepBase makes the version of a copy the node's base, before the node changes and loses its copy. If the version may
// not identify the content, the hash becomes part of the base. A file that the remote has taken has no base.
func (t *Tree) KeepBase(n *Node, now int64) {
	if n.content != Owned && n.content != Edited || n.Known == Absent {
		return
	}
	d, seen := t.Note(n, now), n.Seen()
	if !n.Meta.SameVersion(seen) { // the last answer was about another version
		n.Checked = 0
	}
	n.Known, n.Meta.Size, n.Meta.MTime = Exists, seen.Size, seen.MTime
	d.Base = nil
	if n.copied.Unsure {
		h := n.copied.Hash
		d.Base = &h
	}
}

// Unlink takes a node, and everything seen below it, out of the view. It drops nodes without a base.
func (t *Tree) Unlink(n *Node, now int64) {
	for _, k := range n.kids() {
		t.Unlink(k, now)
	}
	if n.parent != nil {
		n.parent.Stir(now)
	}
	t.unlink(n)
	if n.base == nil && !t.orphanIntent(n, now) {
		t.drop(n)
		return
	}
	t.KeepBase(n, now)
	d := t.Note(n, now)
	d.Attr = Attr{}
	t.Drop(n)
}

// orphanIntent keeps the intent of a node that is about to be dropped, because the remote may have carried it out. It
// reports whether the node itself has to stay for that.
func (t *Tree) orphanIntent(n *Node, now int64) bool {
	if n.Diff == nil || n.Diff.Intent == nil {
		return false
	}
	i := n.Diff.Intent
	dir, name := t.Dir(i.Dir), path.Base(i.To)
	if dir == nil || dir.base == nil || !i.puts() {
		return false
	}
	if r := dir.OnRemote(name); r != nil { // the step may have replaced it
		t.Note(r, now).Intent = i
		t.Touch(r)
		return false
	}
	t.rebase(n, dir, name)
	n.Known = Unknown
	return true
}

// Relink puts a node that is not in the view under name in directory dir. The name must be free there.
func (t *Tree) Relink(n, dir *Node, name string) {
	t.link(n, dir, name)
	t.Touch(n)
}

// Detach takes a node, with everything below it, out of the view. [Tree.Relink] must put it back before any other
// change.
func (t *Tree) Detach(n *Node) { t.unlink(n) }

// Move changes the node's position in the view. The name must be free in dir, and dir must not be below n.
func (t *Tree) Move(n, dir *Node, name string, dest Answer, now int64) {
	if n.parent != nil {
		n.parent.Stir(now)
	}
	dir.Stir(now)
	t.unlink(n)
	t.link(n, dir, name)
	t.Note(n, now).Dest = dest
	t.Touch(n)
}

// Rebase records that the remote now has the node under name in directory dir. The name must be free there.
func (t *Tree) Rebase(n, dir *Node, name string) {
	if len(t.guards) > 0 && n.Kind == Dir && n.HasBase() {
		t.guardsFollow(n.RemotePath(), Join(dir.RemotePath(), name))
	}
	t.unbase(n)
	t.rebase(n, dir, name)
	n.Known = Exists
	t.Touch(n)
}

// Erased records that the remote does not have the node any more, nor anything below it. A node that is not in the view
// is dropped. So is a file without local bytes, or with edited ones. A copy is now the only one, so it becomes changed
// bytes, which are pushed.
func (t *Tree) Erased(n *Node, now int64) {
	n.RemoteKids(func(k *Node) { t.Erased(k, now) })
	t.save(n)
	t.unbase(n)
	n.Known = Absent
	if n.parent != nil && n.content == Owned {
		t.Change(n, Copy{Stamp: n.copied.Stamp})
	}
	if n.parent == nil || n.Kind == File && (!n.Local() || n.content == Edited) {
		t.unlink(n)
		t.drop(n)
		return
	}
	t.Note(n, now).Dest = Absent
	t.Touch(n)
}

// Forget drops a node that does not differ and has neither local bytes nor nodes below it. It causes no change of the
// remote.
func (t *Tree) Forget(n *Node) {
	t.unlink(n)
	t.unbase(n)
	t.drop(n)
}

// Prune forgets the directory n and its ancestors, up to the first that is used, differs, or has nodes in it.
func (t *Tree) Prune(n *Node, used func(*Node) bool) {
	for n != nil && !n.IsRoot() && n.Kind == Dir && !n.HasKids() && !n.Differs() && !used(n) {
		up := n.parent
		t.Forget(n)
		n = up
	}
}

// Edit returns the node for its fields to be written. Call [Tree.Touch] afterwards.
func (t *Tree) Edit(n *Node) *Node {
	t.save(n)
	return n
}

// Touch marks the node as changed: its state goes into the next transaction.
func (t *Tree) Touch(n *Node) {
	t.save(n)
	t.touched[n.ID] = n
	if !n.Differs() {
		n.Diff = nil
	}
	t.index(n)
}

// index updates the sets pending and intents.
func (t *Tree) index(n *Node) {
	delete(t.pending, n.ID)
	delete(t.intents, n.ID)
	if n.Differs() {
		t.pending[n.ID] = n
	}
	if n.Diff != nil && n.Diff.Intent != nil {
		t.intents[n.ID] = n
	}
}

func (t *Tree) link(n, dir *Node, name string) {
	t.save(n)
	if n.place(dir, name, n.base, n.baseName()); n.more != nil {
		n.more.last = nil
	}
	if dir.kids() == nil {
		dir.with().kids = map[string]*Node{}
	}
	dir.kids()[name] = n
	n.settle()
}

func (t *Tree) unlink(n *Node) {
	if n.parent == nil {
		return
	}
	t.save(n)
	delete(n.parent.kids(), n.name)
	last := n.Shown() // what handles that are still open show
	n.with().last = &last
	n.place(nil, "", n.base, n.baseName())
	n.settle()
}

func (t *Tree) rebase(n, dir *Node, name string) {
	t.save(n)
	n.place(n.parent, n.name, dir, name)
	n.settle()
}

func (t *Tree) unbase(n *Node) {
	if n.base == nil {
		return
	}
	t.save(n)
	if n.base.gone()[n.baseName()] == n {
		delete(n.base.gone(), n.baseName())
	}
	n.place(n.parent, n.name, nil, "")
}

// settle updates the set gone of the base directory, which holds the nodes whose view is elsewhere.
func (n *Node) settle() {
	if n.base == nil || n.IsRoot() {
		return
	}
	name := n.baseName()
	if n.parent == n.base && !n.renamed {
		if n.base.gone()[name] == n {
			delete(n.base.gone(), name)
		}
		return
	}
	if n.base.gone() == nil {
		n.base.with().gone = map[string]*Node{}
	}
	n.base.gone()[name] = n
}

// drop forgets a node that is in neither tree.
func (t *Tree) drop(n *Node) {
	t.save(n)
	t.eachOwned(n, t.owned.Sub)
	t.unlist(n)
	t.nodes.remove(n.ID)
	delete(t.pending, n.ID)
	delete(t.intents, n.ID)
	delete(t.touched, n.ID)
	if n.recorded {
		t.touched[n.ID] = nil
	}
}
