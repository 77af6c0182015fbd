package tree

// saved is the state of a node at the beginning of the transaction.
type saved struct {
	node  Node
	known bool // the tree had it
	copy  Copy // the value that node.copied points to; the pointer itself stays the same
}

// save keeps a node's state for [Tree.Rollback]. Only the first call in a transaction has an effect.
func (t *Tree) save(n *Node) {
	if _, ok := t.saved[n]; ok {
		return
	}
	s := saved{node: *n, known: t.nodes.get(n.ID) != nil}
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

// restore resets a node to an earlier state. It does not write ID and Kind, which never change, because others may be
// reading them. It also leaves the usage and the links of the eviction order alone: these are not part of a
// transaction.
func (n *Node) restore(was *Node) {
	n.content, n.Known, n.Temp, n.recorded, n.renamed = was.content, was.Known, was.Temp, was.recorded, was.renamed
	n.parent, n.name, n.base = was.parent, was.name, was.base
	n.Meta, n.Checked, n.copied, n.Diff, n.more = was.Meta, was.Checked, was.copied, was.Diff, was.more
	n.used = was.used
}

// Commit ends a transaction. Its changes can't be rolled back any more.
func (t *Tree) Commit() {
	clear(t.saved)
	clear(t.savedGuards)
	clear(t.facts)
}

// Rollback undoes all changes since the last [Tree.Commit], except the facts about the local disk. recorded tells that
// the changes may be in the log already; then the next transaction records the restored states.
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
			n.with().kids, n.more.gone = now.kids, now.gone // the maps hold nodes that may not have changed
		}
		delete(t.pending, n.ID)
		delete(t.intents, n.ID)
		switch {
		case !s.known:
			t.nodes.remove(n.ID)
			if recorded {
				t.touched[n.ID] = nil
			}
			continue
		case recorded:
			t.touched[n.ID] = n
		}
		t.nodes.put(n)
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
