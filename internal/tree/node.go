package tree

import (
	"strings"
)

// Node is a file, directory or symbolic link that this side knows something about. Its fields may be written after
// [Tree.Edit]. Its positions, its content and its copy change only through the methods of Tree. ID and Kind never
// change, so they may be read without the lock that guards the Tree.
type Node struct {
	ID      ID
	Kind    Kind
	content Content
	// Known is the remote's last answer about the base position.
	Known Answer
	// Temp marks the temporary file of an upload, which may be on the remote. It is never in the view.
	Temp bool
	// recorded: the log has a state of this node.
	recorded bool
	renamed  bool // the base has another name than the view; that name is more.baseName
	usage    Usage

	parent *Node
	name   string
	base   *Node

	Meta    Meta  // of the base, from the last answer; for a node made here, its initial metadata
	Checked int64 // when the remote last answered Exists or Absent about the base
	copied  *Copy // nil: none
	Diff    *Diff

	more *more

	older, newer *Node  // in the eviction order; nil: not in it
	used         uint64 // Tree.uses at the last use
}

// more holds what most nodes, which are files in their place, don't have. This saves memory.
type more struct {
	kids     map[string]*Node // of a directory, by view name
	gone     map[string]*Node // of a directory, by base name: nodes whose view is elsewhere or nowhere
	stirred  int64            // of a directory
	target   string           // of a symbolic link
	baseName string           // of a node that was renamed or removed
	last     *Meta            // the last Shown of a node that left the view; not recorded
}

// with returns the node's more for writing, and makes it if there is none.
func (n *Node) with() *more {
	if n.more == nil {
		n.more = &more{}
	}
	return n.more
}

func (n *Node) kids() map[string]*Node {
	if n.more == nil {
		return nil
	}
	return n.more.kids
}

func (n *Node) gone() map[string]*Node {
	if n.more == nil {
		return nil
	}
	return n.more.gone
}

// Target returns the target of a symbolic link.
func (n *Node) Target() string {
	if n.more == nil {
		return ""
	}
	return n.more.target
}

// SetTarget sets the target of a symbolic link. Call [Tree.Edit] first.
func (n *Node) SetTarget(target string) {
	if target != n.Target() {
		n.with().target = target
	}
}

// Stirred returns when the program last made, removed or renamed an entry of a directory; 0: never. It is not recorded.
func (n *Node) Stirred() int64 {
	if n.more == nil {
		return 0
	}
	return n.more.stirred
}

// Stir sets the time that Stirred returns.
func (n *Node) Stir(at int64) {
	if at != n.Stirred() {
		n.with().stirred = at
	}
}

func (n *Node) baseName() string {
	if n.renamed {
		return n.more.baseName
	}
	if n.base == nil {
		return ""
	}
	return n.name
}

// place sets both positions of a node.
func (n *Node) place(parent *Node, name string, base *Node, baseName string) {
	n.parent, n.name, n.base = parent, name, base
	n.renamed = base != nil && baseName != name
	if n.renamed {
		n.with().baseName = baseName
	}
}

// Name returns the node's name in the view.
func (n *Node) Name() string { return n.name }

// Parent returns the node's directory in the view; nil if the node is not in the view or is the root.
func (n *Node) Parent() *Node { return n.parent }

// IsRoot reports whether the node is the root, which is always in both trees.
func (n *Node) IsRoot() bool { return n.base == n }

// Parked reports whether a Push has moved the node aside on the remote and not yet to its place.
func (n *Node) Parked() bool { return n.Diff != nil && n.Diff.Home != nil }

// InView reports whether the program sees the node.
func (n *Node) InView() bool { return n.parent != nil || n.IsRoot() }

// HasBase reports whether the remote has the node, or is assumed to have it.
func (n *Node) HasBase() bool { return n.base != nil }

// Base returns the node's position on the remote.
func (n *Node) Base() (parent *Node, name string) { return n.base, n.baseName() }

// Moved reports whether the node is in both trees at different positions.
func (n *Node) Moved() bool {
	return n.parent != nil && n.base != nil && (n.parent != n.base || n.renamed)
}

// Kid returns the node seen under name in directory n; nil if there is none.
func (n *Node) Kid(name string) *Node { return n.kids()[name] }

// Kids calls f for each node seen in directory n, in no order.
func (n *Node) Kids(f func(*Node)) {
	for _, k := range n.kids() {
		f(k)
	}
}

// Hidden reports whether the remote's entry name of directory n was removed or renamed on this side, and returns the
// node that stands for it.
func (n *Node) Hidden(name string) (*Node, bool) {
	g, ok := n.gone()[name]
	return g, ok
}

// OnRemote returns the node that the remote has under name in directory n, as far as the tree knows; nil if there is
// none.
func (n *Node) OnRemote(name string) *Node {
	if g := n.gone()[name]; g != nil {
		return g
	}
	if k := n.kids()[name]; k != nil && k.base == n && !k.renamed {
		return k
	}
	return nil
}

// RemoteKids calls f for each node that the remote has in directory n.
func (n *Node) RemoteKids(f func(*Node)) {
	for _, g := range n.gone() {
		f(g)
	}
	for _, k := range n.kids() {
		if k.base == n && !k.renamed {
			f(k)
		}
	}
}

// Path returns the node's path in the view, relative to the root, which is "."; "" for a node that is not in the view.
func (n *Node) Path() string {
	return n.path(func(n *Node) (*Node, string) { return n.parent, n.name })
}

// RemotePath returns the node's path on the remote, relative to the root, which is "."; "" for a node without a base.
func (n *Node) RemotePath() string {
	return n.path((*Node).Base)
}

// path joins the names on the way up to the root; "" if the way does not lead there.
func (n *Node) path(up func(*Node) (*Node, string)) string {
	if n.IsRoot() {
		return "."
	}
	var names []string
	for !n.IsRoot() {
		parent, name := up(n)
		if parent == nil {
			return ""
		}
		names = append(names, name)
		n = parent
	}
	for i, j := 0, len(names)-1; i < j; i, j = i+1, j-1 {
		names[i], names[j] = names[j], names[i]
	}
	return strings.Join(names, "/")
}

// Join appends a name to a path as returned by [Node.Path].
func Join(dir, name string) string {
	if dir == "." || dir == "" {
		return name
	}
	return dir + "/" + name
}

// Split is the inverse of [Join]. The root splits into "." and itself.
func Split(name string) (dir, base string) {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return ".", name
}

// Within reports whether a path is dir or below it. "." contains every path, "" none.
func Within(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return dir == "." || ok && dir != "" && (rest == "" || rest[0] == '/')
}

// Within reports whether n is dir or below it in the view.
func (n *Node) Within(dir *Node) bool {
	for ; n != nil && dir != nil; n = n.parent {
		if n == dir {
			return true
		}
	}
	return false
}

// Content returns who owns the local bytes of a file.
func (n *Node) Content() Content { return n.content }

// Copy describes the local bytes. It is the zero value if there are none.
func (n *Node) Copy() Copy {
	if n.copied == nil {
		return Copy{}
	}
	return *n.copied
}

// Local reports whether the node has bytes in the local directory.
func (n *Node) Local() bool { return n.content != Remote }

// Dirty reports whether the local bytes have to be pushed.
func (n *Node) Dirty() bool {
	return n.content == Changed || n.content == Busy || n.content == Interrupted
}

// Ours reports whether the local bytes are not a copy of the remote's: changed, or edited by another program.
func (n *Node) Ours() bool { return n.Dirty() || n.content == Edited }

// Differs reports whether anything about the node has to be pushed.
func (n *Node) Differs() bool {
	switch {
	case n.IsRoot():
		return n.Diff != nil && n.Diff.Attr.Set != 0
	case n.parent == nil:
		return n.base != nil
	case n.base == nil:
		return true
	}
	return n.queued() || n.Diff != nil && n.Diff.Intent != nil
}

// queued reports whether a node that both trees have is to be changed on the remote.
func (n *Node) queued() bool {
	return n.Moved() || n.Dirty() || n.Diff != nil && (n.Diff.Attr.Set != 0 || n.Diff.Explicit)
}

// TakenBack reports whether a removal of the node was sent and then discarded, so that only the remote knows whether it
// was made.
func (n *Node) TakenBack() bool {
	return n.InView() && n.HasBase() && !n.queued() && n.Diff != nil && n.Diff.Intent != nil && n.Diff.Intent.Kind == Erase
}

// Assumed reports whether the node is a directory that the remote was not asked about yet.
func (n *Node) Assumed() bool {
	return n.Kind == Dir && n.Known == Unknown && n.HasBase() && !n.Differs() && !n.IsRoot()
}

// Seen returns the version of the node that the program has seen: that of a stale copy, else the remote's last answer.
func (n *Node) Seen() Meta {
	if (n.content == Owned || n.content == Edited) && n.copied.Stale {
		return n.copied.Version()
	}
	return n.Meta
}

// Shown returns the node's metadata as the program sees it, or last saw it. The size and mtime of changed bytes are not
// in it; only the local file has these.
func (n *Node) Shown() Meta {
	if n.more != nil && n.more.last != nil {
		return *n.more.last
	}
	m := n.Meta
	m.MTime = max(m.MTime, n.Stirred())
	if n.Diff == nil {
		return m
	}
	a := n.Diff.Attr
	if a.Set&AttrMode != 0 {
		m.Mode = m.Mode.Type() | a.Mode
	}
	if a.Set&AttrTimes != 0 && n.Stirred() == 0 {
		m.MTime = a.MTime
	}
	return m
}

// HasKids reports whether a node is seen in directory n or hidden from it.
func (n *Node) HasKids() bool { return len(n.kids())+len(n.gone()) > 0 }

// HiddenKids calls f for each node that the remote has in directory n and that the view does not have there.
func (n *Node) HiddenKids(f func(*Node)) {
	for _, g := range n.gone() {
		f(g)
	}
}

// Present reports whether the node's bytes are local and are those that the view shows.
func (n *Node) Present() bool { return n.Local() && (n.Content() != Owned || !n.Copy().Stale) }
