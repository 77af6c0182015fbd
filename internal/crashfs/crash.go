package crashfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Crash returns an Fs that holds what is durable, and nothing else. f and its files are not affected.
func (f *Fs) Crash() *Fs {
	return f.crash(survival{
		name:  func() bool { return false },
		steps: func(int) int { return 0 },
	})
}

// CrashRandom returns an Fs that holds what is durable and some of what is not: of each file a prefix of its unsynced
// changes (the last change, if it is a write, may be torn), of each directory a prefix of its unsynced operations. The
// same calls with the same seed give the same result.
func (f *Fs) CrashRandom(seed uint64) *Fs {
	rnd := rand.New(rand.NewPCG(seed, 0))
	// In quarters, and drawn once: if each step of a long history had a probability of its own, hardly any history would
	// be lost or kept as a whole.
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

// survival decides what survives although it was not synced.
type survival struct {
	name  func() bool     // whether the next operation on names survives
	steps func(n int) int // how many of n changes, or of n bytes, survive
}

// crash returns a copy of the disk.
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
		left := &node{inode: n.remains(s.steps), ino: n.ino}
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
		for _, name := range slices.Sorted(maps.Keys(names)) { // a fixed order, so that the seed determines the result
			left.entries[name] = clone(names[name])
		}
		left.diskEntries = maps.Clone(left.entries)
		return left
	}
	return &Fs{journaled: f.journaled, inodes: f.inodes, now: f.now, root: clone(f.root)}
}

// remains returns the content and attributes of a file after the crash.
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
