package tree

import (
	"cmp"
	"slices"
)

// Usage is how a node's local bytes are being used. The caller sets it; it is not part of a transaction.
type Usage uint8

// The usages.
const (
	Unused  Usage = iota
	Awaited       // only by handles that wait for a newer copy than the stale one
	InUse
)

// OwnedBytes returns the size of all owned copies. While a copy is being installed, the copy that it replaces counts,
// too.
func (t *Tree) OwnedBytes() int64 { return t.owned.Int64() }

// Oldest returns the least recently used copy that may be evicted; nil if there is none. It takes constant time.
func (t *Tree) Oldest() *Node {
	if n := t.order.newer; n != &t.order {
		return n
	}
	return nil
}

// SetUsage sets who has a node's bytes open, and counts as a use. A copy that is in use is not evicted.
func (t *Tree) SetUsage(n *Node, u Usage) {
	n.usage = u
	t.use(n)
}

// Skip removes a copy that could not be evicted from the eviction order, until its next transition or use. So it is not
// tried again each time that another copy needs room.
func (t *Tree) Skip(n *Node) { t.unlist(n) }

// eachOwned calls do with each size that the node contributes to OwnedBytes.
func (t *Tree) eachOwned(n *Node, do func(size int64)) {
	if n.content != Owned || t.nodes.get(n.ID) != n {
		return
	}
	do(n.copied.Stamp.Size)
	if n.copied.Installing() != "" && n.copied.Prev() != nil {
		do(n.copied.Prev().Stamp.Size)
	}
}

func (t *Tree) evictable(n *Node) bool {
	return n.content == Owned && n.copied.Installing() == "" && !n.copied.Pinned && t.nodes.get(n.ID) == n &&
		(n.usage == Unused || n.usage == Awaited && n.copied.Stale)
}

// use makes a node the most recently used.
func (t *Tree) use(n *Node) {
	t.unlist(n)
	t.uses++
	n.used = t.uses
	t.relist(n)
}

// relist adds a copy to the eviction order if it may be evicted now, and removes it if it may not.
func (t *Tree) relist(n *Node) {
	switch listed := n.newer != nil; {
	case t.evictable(n) == listed:
	case listed:
		t.unlist(n)
	default:
		t.list([]*Node{n})
	}
}

func (t *Tree) unlist(n *Node) {
	if n.newer != nil {
		n.older.newer, n.newer.older = n.newer, n.older
		n.older, n.newer = nil, nil
	}
}

// list inserts copies into the eviction order by their last use. It searches their places from the newest end.
func (t *Tree) list(nodes []*Node) {
	slices.SortFunc(nodes, func(a, b *Node) int { return cmp.Compare(a.used, b.used) })
	at := &t.order
	for _, n := range slices.Backward(nodes) {
		for at.older != &t.order && at.older.used > n.used {
			at = at.older
		}
		n.older, n.newer = at.older, at
		n.older.newer, at.older = n, n
		at = n
	}
}

// account computes the sum and the eviction order of a replayed tree. The last use of a copy is when it was fetched.
func (t *Tree) account() {
	var nodes []*Node
	for n := range t.nodes.all() {
		t.eachOwned(n, t.owned.Add)
		if n.content == Owned {
			nodes = append(nodes, n)
		}
	}
	slices.SortFunc(nodes, func(a, b *Node) int {
		return cmp.Or(cmp.Compare(a.copied.Fetched, b.copied.Fetched), cmp.Compare(a.ID, b.ID))
	})
	for _, n := range nodes {
		t.use(n)
	}
}
