package tree

// saved is a node as it was when the transaction began.
type saved struct {
	node  Node
	known bool // the tree had it
	copy  Copy // of its Copy, which stays the same one
}

// save keeps a node's state for [Tree.Rollback], once for each transaction.
func (t *Tree) save(n *Node) {
	if _, ok := t.saved[n]; ok {
		return
	}
	s := saved{node: *n}
	_, s.known = t.nodes[n.ID]
	if n.more != nil {
		m := *n.more
		s.node.more = &m
	}
	if n.copied != nil {
		s.copy = *n.copied
	}
	if n.Diff != nil {
		d := *n.Diff
		s.node.Diff = &d
	}
	t.saved[n] = s
}

// restore gives a node back what an earlier state of it had. It does not write ID and Kind, which never change: others read
// them meanwhile. Who uses its bytes, and its place in the order of eviction, are what they are now.
func (n *Node) restore(was *Node) {
	n.content, n.Known, n.Temp, n.recorded, n.renamed = was.content, was.Known, was.Temp, was.recorded, was.renamed
	n.parent, n.name, n.base = was.parent, was.name, was.base
	n.Meta, n.Checked, n.copied, n.Diff, n.more = was.Meta, was.Checked, was.copied, was.Diff, was.more
	n.used = was.used
}

// Commit ends a transaction: what was changed since the last one stays.
func (t *Tree) Commit() {
	clear(t.saved)
	clear(t.savedGuards)
	clear(t.facts)
}

// Rollback undoes all changes since the last [Tree.Commit], but not the facts about the local disk. If they have been
// recorded already, the next transaction has to take them back: recorded says so.
func (t *Tree) Rollback(recorded bool) {
	t.rollbackGuards(recorded)
	for n := range t.saved {
		if n.IsRoot() {
			continue
		}
		if n.parent != nil {
			delete(n.parent.kids(), n.name)
		}
		if n.base != nil && n.base.gone()[n.baseName()] == n {
			delete(n.base.gone(), n.baseName())
		}
	}
	clear(t.touched)
	var evictable []*Node
	for n, s := range t.saved {
		now := n.more
		t.eachOwned(n, t.owned.Sub)
		t.unlist(n)
		n.restore(&s.node)
		n.older, n.newer = nil, nil
		if n.copied != nil {
			*n.copied = s.copy
		}
		if now != nil {
			n.with().kids, n.more.gone = now.kids, now.gone // hold nodes that may not have changed
		}
		delete(t.pending, n.ID)
		delete(t.intents, n.ID)
		switch {
		case !s.known:
			delete(t.nodes, n.ID)
			if recorded {
				t.touched[n.ID] = nil
			}
			continue
		case recorded:
			t.touched[n.ID] = n
		}
		t.nodes[n.ID] = n
		t.index(n)
		if t.eachOwned(n, t.owned.Add); t.evictable(n) {
			evictable = append(evictable, n)
		}
	}
	t.list(evictable)
	for n, s := range t.saved {
		if s.known && n.parent != nil {
			n.parent.kids()[n.name] = n
		}
		if s.known {
			n.settle()
		}
	}
	t.recall()
	clear(t.saved)
}
