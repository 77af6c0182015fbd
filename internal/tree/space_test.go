package tree

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// eviction is the order in which copies would be evicted.
func (t *Tree) eviction() (ids []ID) {
	for n := t.order.newer; n != &t.order; n = n.newer {
		ids = append(ids, n.ID)
	}
	return ids
}

// requireCounted checks the sum and the order against all nodes, of which those in skipped are not in the order.
func requireCounted(t require.TestingT, tree *Tree, skipped map[*Node]bool) {
	var sum int64
	var nodes []*Node
	tree.Nodes(func(n *Node) {
		if n.content != Owned {
			return
		}
		sum += n.copied.Stamp.Size
		if n.copied.Installing() != "" && n.copied.Prev() != nil {
			sum += n.copied.Prev().Stamp.Size
		}
		open := n.usage == InUse || n.usage == Awaited && !n.copied.Stale
		if n.copied.Installing() == "" && !n.copied.Pinned && !open && !skipped[n] {
			nodes = append(nodes, n)
		}
	})
	slices.SortFunc(nodes, func(a, b *Node) int { return cmp.Compare(a.used, b.used) })
	var want []ID
	for _, n := range nodes {
		want = append(want, n.ID)
	}
	require.Equal(t, sum, tree.OwnedBytes())
	require.Equal(t, want, tree.eviction())
	if oldest := tree.Oldest(); oldest != nil || len(want) > 0 {
		require.Equal(t, want[0], oldest.ID)
	}
}

// transit makes a random transition that the content of the node allows. It says whether that is about the content.
func transit(t *rapid.T, tree *Tree, n *Node) bool {
	stamp := Stamp{Size: int64(rapid.IntRange(0, 9).Draw(t, "size"))}
	allowed := map[string]func(){
		"own":    func() { tree.Own(n, Copy{Stamp: stamp}) },
		"change": func() { tree.Change(n, Copy{Stamp: stamp}) },
		"begin":  func() { tree.Begin(n) },
		"drop":   func() { tree.Drop(n) },
		"lose":   func() { tree.Lost(n) },
		"revert": tree.Reverter(n),
		"forget": func() { tree.Forget(n) },
		"erase":  func() { tree.Erased(n, 1) },
		"unlink": func() { tree.Unlink(n, 1) },
	}
	if n.content == Remote || n.content == Owned && n.copied.Installing() == "" {
		allowed["land"] = func() { tree.Install(n, Copy{Stamp: stamp}.From("temporary")) }
	}
	if n.content == Owned {
		allowed["stale"] = func() { tree.MarkStale(n) }
		allowed["landed"] = func() { tree.Installed(n, stamp) }
		allowed["settle"] = func() { tree.Settle(n) }
		allowed["back out"] = func() { tree.BackOut(n) }
	}
	if n.content == Busy {
		allowed["finish"] = func() { tree.Finish(n, stamp) }
		allowed["interrupt"] = func() { tree.Interrupt(n) }
	}
	if n.copied != nil {
		allowed["pin"] = func() { tree.Pin(n, rapid.Bool().Draw(t, "pinned")) }
		allowed["restamp"] = func() { tree.Restamp(n, stamp) }
	}
	names := make([]string, 0, len(allowed))
	for name := range allowed {
		names = append(names, name)
	}
	slices.Sort(names)
	name := rapid.SampledFrom(names).Draw(t, "transition")
	allowed[name]()
	return name != "erase"
}

// hasFacts says whether a transition since the last commit has recorded a fact.
func (t *Tree) hasFacts() bool { return len(t.facts) > 0 }

// Whatever happens to nodes, the sum and the order are those of the nodes; a rollback restores them, and a replay
// rebuilds the sum.
func TestSpace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tree, log := New(), [][]byte{}
		skipped := map[*Node]bool{}
		made := 0
		for range rapid.IntRange(1, 8).Draw(t, "transactions") {
			sum, order := tree.OwnedBytes(), tree.eviction()
			asides := len(skipped) > 0 // what is not part of a transaction
			for range rapid.IntRange(1, 8).Draw(t, "steps") {
				var files []*Node
				tree.Nodes(func(n *Node) {
					if n.InView() {
						files = append(files, n)
					}
				})
				slices.SortFunc(files, func(a, b *Node) int { return cmp.Compare(a.ID, b.ID) })
				what := rapid.IntRange(0, 9).Draw(t, "what")
				switch {
				case what < 2 || len(files) == 0:
					made++
					n := tree.Discover(tree.Root(), fmt.Sprint(made), File, Meta{}, 1)
					tree.Own(n, Copy{Stamp: Stamp{Size: int64(made)}})
				case what == 2:
					n := one(t, files)
					tree.SetUsage(n, rapid.SampledFrom([]Usage{Unused, Awaited, InUse}).Draw(t, "usage"))
					asides = true
					delete(skipped, n)
				case what == 3:
					if n := tree.Oldest(); n != nil {
						tree.Skip(n)
						skipped[n], asides = true, true
					}
				default:
					n := one(t, files)
					if transit(t, tree, n) {
						delete(skipped, n)
					}
				}
				requireCounted(t, tree, skipped)
			}
			if rapid.Bool().Draw(t, "rollback") {
				facts := tree.hasFacts()
				tree.Rollback(false)
				clear(skipped) // what is restored may be tried again
				tree.Nodes(func(n *Node) {
					if tree.evictable(n) && n.newer == nil {
						skipped[n] = true
					}
				})
				requireCounted(t, tree, skipped)
				if !facts && !asides {
					require.Equal(t, sum, tree.OwnedBytes())
					require.Equal(t, order, tree.eviction())
				}
				continue
			}
			if rec := tree.Take(nil); rec != nil {
				log = append(log, slices.Clone(rec))
			}
			tree.Commit()
		}
		if rec := tree.Take(nil); rec != nil { // facts that were rolled back
			log = append(log, slices.Clone(rec))
		}
		again := replayed(t, log)
		require.Equal(t, tree.OwnedBytes(), again.OwnedBytes())
		requireCounted(t, again, nil)
	})
}

// A rollback does not bring back what is gone from the disk, and the next record says so.
func TestFactsOutlastRollbacks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happen  func(tree *Tree, n *Node)
		content Content
		bytes   int64
	}{
		"evicted":    {func(tree *Tree, n *Node) { tree.Lost(n) }, Remote, 0},
		"landed":     {func(tree *Tree, n *Node) { tree.Installed(n, Stamp{Size: 7, Ino: 1}) }, Owned, 7},
		"not landed": {func(tree *Tree, n *Node) { tree.BackOut(n) }, Owned, 5},
		"forgotten":  {func(tree *Tree, n *Node) { tree.Lost(n); tree.Forget(n) }, Remote, 0},
		"and then changed": {func(tree *Tree, n *Node) {
			tree.Installed(n, Stamp{Size: 7, Ino: 1})
			tree.Begin(n)
		}, Owned, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := New()
			n := tree.Discover(tree.Root(), "f", File, Meta{}, 1)
			tree.Own(n, Copy{Stamp: Stamp{Size: 5}})
			tree.Install(n, Copy{Stamp: Stamp{Size: 7}}.From("temporary"))
			log := [][]byte{slices.Clone(tree.Take(nil))}
			tree.Commit()
			require.EqualValues(t, 12, tree.OwnedBytes(), "both are on the disk")
			c.happen(tree, n)
			for range 2 { // the record fails twice
				tree.Take(nil)
				tree.Rollback(false)
				require.Equal(t, c.content, n.content)
				require.Equal(t, c.bytes, tree.OwnedBytes())
			}
			log = append(log, slices.Clone(tree.Take(nil)))
			tree.Commit()
			require.Equal(t, remembered(tree), remembered(replayed(t, log)))
		})
	}
}

// Copies that were restored go in the order in which they were fetched.
func TestReplayedOrder(t *testing.T) {
	t.Parallel()
	tree := New()
	for i, fetched := range []int64{3, 1, 2, 1} {
		n := tree.Discover(tree.Root(), fmt.Sprint(i), File, Meta{}, 1)
		tree.Own(n, Copy{Fetched: fetched})
	}
	again := replayed(t, [][]byte{tree.Take(nil)})
	var names []string
	for _, id := range again.eviction() {
		names = append(names, again.Node(id).Name())
	}
	require.Equal(t, []string{"1", "3", "2", "0"}, names)
}
