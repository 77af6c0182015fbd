package crashfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Crash returns an Fs that holds what was durable, and nothing else. f and its
// files go on as if nothing had happened.
func (f *Fs) Crash() *Fs {
	return f.crash(survival{
		name:  func() bool { return false },
		steps: func(int) int { return 0 },
	})
}

// CrashRandom returns an Fs that holds what was durable and some of what was
// not: of each file the first of its unsynced changes, the last of them, if it
// is a write, in part; of each directory the first of its unsynced operations.
// The same calls and the same seed leave the same.
func (f *Fs) CrashRandom(seed uint64) *Fs {
	rnd := rand.New(rand.NewPCG(seed, 0))
	// In quarters, and drawn first: of a long history hardly anything would be
	// lost or kept as a whole if each step were a matter of luck by itself.
	names, contents := rnd.IntN(5), rnd.IntN(5)
	return f.crash(survival{
		name: func() bool { return rnd.IntN(4) < names },
		steps: func(n int) int {
			if rnd.IntN(4) < contents {
				return n
			}
			return rnd.IntN(n + 1)
		},
	})
}

// survival says what is on the disk though it was not synced.
type survival struct {
	name  func() bool     // the next operation on names
	steps func(n int) int // how many of n changes, or of n bytes
}

// crash copies the disk.
func (f *Fs) crash(s survival) *Fs {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries := make(map[*node]map[string]*node)
	for _, op := range f.journal.some(s.name) {
		for _, e := range op.edits {
			if entries[e.dir] == nil {
				entries[e.dir] = maps.Clone(e.dir.diskEntries)
			}
			e.apply(entries[e.dir])
		}
	}
	var clone func(n *node) *node
	clone = func(n *node) *node {
		left := &node{inode: n.remains(s.steps)}
		left.disk = left.inode
		left.disk.data = slices.Clone(left.data)
		if !n.isDir() {
			return left
		}
		names := entries[n]
		if names == nil {
			names = n.diskEntries
		}
		left.entries = make(map[string]*node, len(names))
		for _, name := range slices.Sorted(maps.Keys(names)) { // a seed means one order
			left.entries[name] = clone(names[name])
		}
		left.diskEntries = maps.Clone(left.entries)
		return left
	}
	return &Fs{journaled: f.journaled, now: f.now, root: clone(f.root)}
}

// remains returns what is left of a file's content and attributes.
func (n *node) remains(survivors func(of int) int) inode {
	left := n.disk
	left.data = slices.Clone(n.disk.data)
	kept := survivors(len(n.pending))
	for _, c := range n.pending[:kept] {
		c.apply(&left)
	}
	if kept < len(n.pending) {
		if torn := n.pending[kept]; torn.set == nil {
			torn.data = torn.data[:survivors(len(torn.data))]
			if len(torn.data) > 0 {
				torn.apply(&left)
			}
		}
	}
	return left
}
