package tree

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever a transaction did, taking it back leaves the tree, and the log, as they were.
func TestRollback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, log := grow(t)
		every := func(*Node) bool { return true }
		want, guards := described(tree, every), tree.Guards()
		var all []*Node
		tree.Nodes(func(n *Node) {
			if n.recorded {
				all = append(all, n)
			}
		})
		if len(all) == 0 {
			return
		}
		slices.SortFunc(all, func(a, b *Node) int { return cmp.Compare(a.ID, b.ID) })
		for range rapid.IntRange(1, 5).Draw(t, "changes") {
			n := tree.Node(one(t, all).ID)
			if n == nil {
				continue
			}
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				scribble(t, tree, n)
			case 1:
				if n.InView() {
					unlinkAll(tree, n)
				}
			case 2:
				tree.Erased(n, 9)
			case 3:
				tree.Create(tree.Root(), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name")+"new", File, Meta{}, Absent, 9)
			case 5:
				guard(t, tree)
			case 4:
				if n.InView() && n.Kind != Dir && tree.Root().Kid("moved-away") == nil {
					tree.Move(n, tree.Root(), "moved-away", Unknown, 9)
				}
			}
		}
		taken, recorded := rapid.Bool().Draw(t, "taken"), rapid.Bool().Draw(t, "recorded")
		if taken {
			rec := tree.Take(nil)
			if recorded = recorded && rec != nil; recorded {
				log = append(log, slices.Clone(rec))
			}
		}
		recorded = recorded && taken
		tree.Rollback(recorded)
		require.Equal(t, want, described(tree, every))
		require.Equal(t, guards, tree.Guards())
		if rec := tree.Take(nil); rec != nil {
			log = append(log, slices.Clone(rec))
		}
		tree.Commit()
		require.Equal(t, want, described(tree, every))
		require.Equal(t, remembered(tree), remembered(replayed(t, log)))
	})
}

// unlinkAll is what a user of the tree does to remove a directory: what is in it first.
func unlinkAll(tree *Tree, n *Node) {
	n.Kids(func(k *Node) { unlinkAll(tree, k) })
	tree.Unlink(n, 9)
}

// What was replayed stays: the first failed call does not take it back.
func TestRollbackAfterReplay(t *testing.T) {
	t.Parallel()
	tree := New()
	tree.Create(tree.Root(), "d", Dir, Meta{}, Absent, 1)
	again := replayed(t, [][]byte{tree.Take(nil)})
	again.Create(again.Root(), "e", Dir, Meta{}, Absent, 2)
	again.Rollback(false)
	require.NotNil(t, again.Root().Kid("d"))
	require.Nil(t, again.Root().Kid("e"))
}

func TestPrune(t *testing.T) {
	t.Parallel()
	unused := func(*Node) bool { return false }
	plant := func() (tree *Tree, a, b, c *Node) {
		tree = New()
		a = tree.Discover(tree.Root(), "a", Dir, Meta{}, 1)
		b = tree.Discover(a, "b", Dir, Meta{}, 1)
		c = tree.Discover(b, "c", Dir, Meta{}, 1)
		return tree, a, b, c
	}
	left := func(tree *Tree) (names []string) {
		tree.Nodes(func(n *Node) { names = append(names, n.Path()) })
		return names
	}

	tree, _, _, c := plant()
	tree.Prune(c, unused)
	require.Empty(t, left(tree))

	tree, _, b, c := plant()
	tree.Prune(c, func(n *Node) bool { return n == b })
	require.ElementsMatch(t, []string{"a", "a/b"}, left(tree))

	tree, a, _, c := plant()
	tree.Discover(a, "f", File, Meta{}, 1)
	tree.Prune(c, unused)
	require.ElementsMatch(t, []string{"a", "a/f"}, left(tree))

	tree, a, _, c = plant()
	tree.Hide(a, "gone", File, Exists, Meta{}, 1) // removed, and to be pushed
	tree.Prune(c, unused)
	require.NotNil(t, tree.Root().Kid("a"))
	require.Nil(t, a.Kid("b"))

	tree = New()
	made := tree.Create(tree.Root(), "made", Dir, Meta{}, Absent, 1)
	tree.Prune(made, unused)
	require.Equal(t, made, tree.Root().Kid("made"), "it differs")
	tree.Prune(tree.Root(), unused)
}

// Who remembers the Copy of a node can tell by it that nobody wrote the file, also after a call that failed.
func TestRollbackKeepsTheCopy(t *testing.T) {
	t.Parallel()
	tree := New()
	f := tree.Create(tree.Root(), "f", File, Meta{}, Absent, 1)
	f.content, f.copied = Changed, &Copy{Fetched: 1}
	was := f.copied
	tree.Commit()
	tree.Edit(f).copied.Fetched = 2
	tree.Rollback(false)
	require.Same(t, was, f.copied)
	require.Equal(t, Copy{Fetched: 1}, *was)
	tree.Edit(f).copied = &Copy{}
	tree.Rollback(false)
	require.Same(t, was, f.copied)
}
