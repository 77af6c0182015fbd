package tree

// All changes of a node's local bytes are in this file. Each maintains OwnedBytes and the eviction order, and puts the
// node into the next transaction. Methods that "record the fact" are about the local disk: a rollback keeps their
// outcome.

// alter runs do, which changes the content or the copy of a node.
func (t *Tree) alter(n *Node, do func()) {
	t.save(n)
	t.eachOwned(n, t.owned.Sub)
	do()
	t.eachOwned(n, t.owned.Add)
	t.relist(n)
	t.Touch(n)
}

// set gives a node other content and another Copy. A pinned node stays pinned.
func (t *Tree) set(n *Node, content Content, c Copy) {
	c.Pinned = c.Pinned || n.copied != nil && n.copied.Pinned
	t.alter(n, func() {
		c.set = uint32(t.uses + 1) // the value that t.use is about to set
		n.content, n.copied = content, &c
		n.used = t.uses // before it is listed: list searches its place from the newest end
	})
	t.use(n)
}

// Own makes the local bytes of a node a verified copy of the version in its Meta.
func (t *Tree) Own(n *Node, c Copy) { t.set(n, Owned, c) }

// Install makes a copy that is not in its place yet the node's own; see [Copy.From]. [Tree.Installed] or [Tree.BackOut]
// follows; until then an owned copy that it replaces is c's Prev.
func (t *Tree) Install(n *Node, c Copy) {
	if now := n.copied; n.content == Owned {
		prev := Copy{Stamp: now.Stamp, Hash: now.Hash, Fetched: now.Fetched, Boot: now.Boot}.Of(n.Seen())
		c.pass(func(p *passing) { p.prev = &prev })
	}
	t.set(n, Owned, c)
}

// Installed records the fact that the node's copy was found in its place, with that stamp.
func (t *Tree) Installed(n *Node, stamp Stamp) {
	t.alter(n, func() {
		*n.copied = n.copied.Settled()
		n.copied.Stamp = stamp
	})
	t.happened(n)
}

// BackOut records the fact that a copy did not reach its place. The copy that it was to replace becomes stale. Without
// such a copy, the node has no local bytes.
func (t *Tree) BackOut(n *Node) {
	if n.copied.Prev() == nil {
		t.Lost(n)
		return
	}
	prev := *n.copied.Prev()
	prev.Stale, prev.Unsure = true, true // whether it was unsure is not recorded
	t.set(n, Owned, prev)
	t.happened(n)
}

// Settle ends the installation of a node whose process died during it. At the next use, stamps and hashes show which of
// the two copies is in the place.
func (t *Tree) Settle(n *Node) { t.alter(n, func() { *n.copied = n.copied.From("") }) }

// Lost records the fact that a node's local bytes are gone: evicted, or deleted by hand.
func (t *Tree) Lost(n *Node) {
	t.Drop(n)
	t.happened(n)
}

// Drop removes a node's local bytes from the tree. The caller handles the file.
func (t *Tree) Drop(n *Node) { t.alter(n, func() { n.content, n.copied = Remote, nil }) }

// Change makes the local bytes of a node Changed.
func (t *Tree) Change(n *Node, c Copy) { t.set(n, Changed, c) }

// Begin marks a node whose local bytes are about to be written.
func (t *Tree) Begin(n *Node) { t.set(n, Busy, Copy{Added: n.copied != nil && n.copied.Added}) }

// Finish marks a busy node whose local bytes are complete. It keeps the Copy that [Tree.Begin] has set.
func (t *Tree) Finish(n *Node, stamp Stamp) {
	t.alter(n, func() { n.content, n.copied.Stamp = Changed, stamp })
}

// Interrupt records the fact that a node's local bytes may be incomplete.
func (t *Tree) Interrupt(n *Node) {
	t.alter(n, func() { n.content = Interrupted })
	t.happened(n)
}

// Restamp sets a new stamp of the same local bytes.
func (t *Tree) Restamp(n *Node, stamp Stamp) { t.alter(n, func() { n.copied.Stamp = stamp }) }

// MarkStale records that the remote has another version than the node's copy.
func (t *Tree) MarkStale(n *Node) {
	seen := n.Seen()
	t.alter(n, func() {
		*n.copied = n.copied.Of(seen)
		n.copied.Stale = true
	})
}

// Reattributed records that this side has changed the version of the remote's file by setting attributes. A stale copy
// of the version before is a copy of the version after.
func (t *Tree) Reattributed(n *Node, before, after Meta) {
	t.alter(n, func() {
		n.Meta = after
		if n.copied != nil && n.copied.Stale && n.copied.Version().SameVersion(before) {
			*n.copied = n.copied.Of(after)
		}
	})
}

// MarkUnsure records that the remote's file may be another one than the node's copy, although it has the version of the
// copy.
func (t *Tree) MarkUnsure(n *Node) {
	if n.content == Owned {
		t.alter(n, func() { n.copied.Unsure = true })
	}
}

// MarkEdited records that another program has written a node's local bytes. c describes the copy that they were before.
func (t *Tree) MarkEdited(n *Node, c Copy) { t.set(n, Edited, c) }

// Pin protects a node's copy from eviction, or ends that.
func (t *Tree) Pin(n *Node, pinned bool) { t.alter(n, func() { n.copied.Pinned = pinned }) }

// Reverter returns a function that restores the node's present content, copy and difference, also after a commit. The
// local bytes must be the same then.
func (t *Tree) Reverter(n *Node) (back func()) {
	content, copied, diff := n.content, n.copied, n.Diff
	if diff != nil {
		d := *diff
		diff = &d
	}
	return func() { t.alter(n, func() { n.content, n.copied, n.Diff = content, copied, diff }) }
}

// fact is the state of a node's local bytes on disk, which a rollback can't undo.
type fact struct {
	content Content
	copied  *Copy
	copy    Copy // the value that copied points to
}

// happened makes the node's present content and copy a fact.
func (t *Tree) happened(n *Node) {
	f := fact{content: n.content, copied: n.copied}
	if n.copied != nil {
		f.copy = *n.copied
	}
	t.facts[n] = f
}

// recall restores the facts that a rollback has undone. They go into the next transaction.
func (t *Tree) recall() {
	for n, f := range t.facts {
		if t.nodes.get(n.ID) != n {
			continue
		}
		t.alter(n, func() {
			if n.content, n.copied = f.content, f.copied; n.copied != nil {
				*n.copied = f.copy
			}
		})
	}
}
