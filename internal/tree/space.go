package tree

import (
	"cmp"
	"slices"
)

// Usage says who has a node's local bytes open. It is the caller's knowledge, not part of a transaction.
type Usage uint8

// The usages.
const (
	Unused  Usage = iota
	Awaited       // only by handles that wait for a newer copy than a stale one
	InUse
)

// OwnedBytes is the size of all owned copies. While a copy is being installed, the one that it replaces counts as well.
func (t *Tree) OwnedBytes() int64 { return t.owned.Int64() }

// Oldest is the least recently used copy that may be evicted, nil if there is none. It takes constant time.
func (t *Tree) Oldest() *Node {
	if n := t.order.newer; n != &t.order {
		return n
	}
	return nil
}

// SetUsage takes note of who has a node's bytes open, and that they are used now. What is in use is not evicted.
func (t *Tree) SetUsage(n *Node, u Usage) {
	n.usage = u
	t.use(n)
}

// Skip takes a copy that could not be evicted out of the order until its next transition or use, so that it is not
// tried again for each copy that needs room.
func (t *Tree) Skip(n *Node) { t.unlist(n) }

// eachOwned calls do with each size that a node adds to OwnedBytes.
func (t *Tree) eachOwned(n *Node, do func(size int64)) {
	if n.content != Owned || t.nodes[n.ID] != n {
		return
	}
	do(n.copied.Stamp.Size)
	if n.copied.Installing != "" && n.copied.Prev != nil {
		do(n.copied.Prev.Stamp.Size)
	}
}

func (t *Tree) evictable(n *Node) bool {
	return n.content == Owned && n.copied.Installing == "" && !n.copied.Pinned && t.nodes[n.ID] == n &&
		(n.usage == Unused || n.usage == Awaited && n.copied.Stale)
}

// use makes a node the most recently used one.
func (t *Tree) use(n *Node) {
	t.unlist(n)
	t.uses++
	n.used = t.uses
	t.relist(n)
}

// relist adds a copy that may be evicted now to the order, or takes out one that may not.
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

// list adds copies to the order by when they were used. The walk to their places begins at the newest.
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

// account makes the sum and the order those of a tree that was replayed: its copies were used when they were fetched.
func (t *Tree) account() {
	var nodes []*Node
	for _, n := range t.nodes {
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
