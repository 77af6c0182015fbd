package tree

// All changes of what local bytes a node has are here. Each keeps OwnedBytes and the order of eviction, and puts the
// node into the next transaction. Those that say so record a fact about the local disk, which a rollback keeps.

// alter makes a transition.
func (t *Tree) alter(n *Node, do func()) {
	t.save(n)
	t.eachOwned(n, t.owned.Sub)
	do()
	t.eachOwned(n, t.owned.Add)
	t.relist(n)
	t.Touch(n)
}

// set gives a node another content and a new Copy. A pinned one stays pinned.
func (t *Tree) set(n *Node, content Content, c Copy) {
	c.Pinned = c.Pinned || n.copied != nil && n.copied.Pinned
	t.alter(n, func() {
		c.set = t.uses + 1 // as t.use will count
		n.content, n.copied = content, &c
		n.used = t.uses // before it gets into the order: its place is found from the newest on
	})
	t.use(n)
}

// Own makes the local bytes of a node a verified copy of the version in its Meta.
func (t *Tree) Own(n *Node, c Copy) { t.set(n, Owned, c) }

// Install makes a copy that lies under the local name c.Installing the node's own. [Tree.Installed] or [Tree.BackOut] follows;
// until then an owned copy that it replaces is c's Prev.
func (t *Tree) Install(n *Node, c Copy) {
	if prev := n.copied; n.content == Owned {
		c.Prev = &Copy{Stamp: prev.Stamp, Hash: prev.Hash, Fetched: prev.Fetched, Version: n.Seen()}
	}
	t.set(n, Owned, c)
}

// Installed records the fact that the node's copy was found in its place, with that stamp.
func (t *Tree) Installed(n *Node, stamp Stamp) {
	t.alter(n, func() { n.copied.Stamp, n.copied.Installing, n.copied.Prev = stamp, "", nil })
	t.happened(n)
}

// BackOut records the fact that a copy did not come into its place. The one that it was to replace is stale; without
// one, the node has no local bytes.
func (t *Tree) BackOut(n *Node) {
	if n.copied.Prev == nil {
		t.Lost(n)
		return
	}
	prev := *n.copied.Prev
	prev.Stale, prev.Unsure = true, true // whether it was unsure is not recorded
	t.set(n, Owned, prev)
	t.happened(n)
}

// Settle is for a node that was being installed when the process died. Which of the two copies is in its place is told by
// their stamps and hashes when it is used next.
func (t *Tree) Settle(n *Node) { t.alter(n, func() { n.copied.Installing = "" }) }

// Lost records the fact that a node's local bytes are gone: evicted, or deleted by hand.
func (t *Tree) Lost(n *Node) {
	t.Drop(n)
	t.happened(n)
}

// Drop takes a node's local bytes away from it. What becomes of them is up to the caller.
func (t *Tree) Drop(n *Node) { t.alter(n, func() { n.content, n.copied = Remote, nil }) }

// Change makes the local bytes of a node changed ones.
func (t *Tree) Change(n *Node, c Copy) { t.set(n, Changed, c) }

// Begin marks a node whose local bytes are about to be written.
func (t *Tree) Begin(n *Node) { t.set(n, Busy, Copy{Added: n.copied != nil && n.copied.Added}) }

// Finish marks a busy node whose local bytes are complete. It keeps the Copy of [Tree.Begin].
func (t *Tree) Finish(n *Node, stamp Stamp) {
	t.alter(n, func() { n.content, n.copied.Stamp = Changed, stamp })
}

// Interrupt records the fact that a node's local bytes may be incomplete.
func (t *Tree) Interrupt(n *Node) {
	t.alter(n, func() { n.content = Interrupted })
	t.happened(n)
}

// Restamp takes note of what the local file system says about the same bytes now.
func (t *Tree) Restamp(n *Node, stamp Stamp) { t.alter(n, func() { n.copied.Stamp = stamp }) }

// MarkStale takes note that the remote has another version than a copy.
func (t *Tree) MarkStale(n *Node) {
	seen := n.Seen()
	t.alter(n, func() { n.copied.Version, n.copied.Stale = seen, true })
}

// Reattributed takes note that this side has made one version of the remote's file another one by setting its attributes. A
// stale copy of the one is of the other.
func (t *Tree) Reattributed(n *Node, before, after Meta) {
	t.alter(n, func() {
		n.Meta = after
		if n.copied != nil && n.copied.Stale && n.copied.Version.SameVersion(before) {
			n.copied.Version = after
		}
	})
}

// MarkEdited takes note that another program has written a node's local bytes. c describes the copy that they were.
func (t *Tree) MarkEdited(n *Node, c Copy) { t.set(n, Edited, c) }

// Pin keeps a node's copy from being evicted, or ends that.
func (t *Tree) Pin(n *Node, pinned bool) { t.alter(n, func() { n.copied.Pinned = pinned }) }

// Reverter returns a function that gives a node its present content, copy and difference back, also after a commit.
// The local bytes must be the same then.
func (t *Tree) Reverter(n *Node) (back func()) {
	content, copied, diff := n.content, n.copied, n.Diff
	if diff != nil {
		d := *diff
		diff = &d
	}
	return func() { t.alter(n, func() { n.content, n.copied, n.Diff = content, copied, diff }) }
}

// fact is what is known for sure about a node's local bytes.
type fact struct {
	content Content
	copied  *Copy
	copy    Copy // what copied points to
}

// happened makes the node's present content and copy a fact.
func (t *Tree) happened(n *Node) {
	f := fact{content: n.content, copied: n.copied}
	if n.copied != nil {
		f.copy = *n.copied
	}
	t.facts[n] = f
}

// recall lets facts stand that a rollback has undone. They go into the next transaction.
func (t *Tree) recall() {
	for n, f := range t.facts {
		if t.nodes[n.ID] != n {
			continue
		}
		t.alter(n, func() {
			if n.content, n.copied = f.content, f.copied; n.copied != nil {
				*n.copied = f.copy
			}
		})
	}
}
