package tree

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A table is a map of nodes by ID, also while it is iterated over.
func TestTableIsAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		nodes, model := table{}, map[ID]*Node{}
		id := rapid.Custom(func(rt *rapid.T) ID { return ID(rapid.IntRange(0, 5*pageSize).Draw(rt, "id")) })
		same := func() {
			all := map[ID]*Node{}
			for n := range nodes.all() {
				all[n.ID] = n
			}
			require.Equal(rt, model, all)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				n := &Node{ID: id.Draw(rt, "new")}
				nodes.put(n)
				model[n.ID] = n
			},
			"remove": func(rt *rapid.T) {
				gone := id.Draw(rt, "gone")
				nodes.remove(gone)
				delete(model, gone)
			},
			"remove during iteration": func(rt *rapid.T) {
				gone := rapid.SliceOfDistinct(id, func(id ID) ID { return id }).Draw(rt, "gone")
				for n := range nodes.all() {
					if slices.Contains(gone, n.ID) {
						nodes.remove(n.ID)
						delete(model, n.ID)
					}
				}
			},
			"": func(rt *rapid.T) {
				for i := range ID(6 * pageSize) {
					require.Same(rt, model[i], nodes.get(i))
				}
				same()
			},
		})
		for n := range model {
			nodes.remove(n)
		}
		require.Empty(rt, nodes)
	})
}
