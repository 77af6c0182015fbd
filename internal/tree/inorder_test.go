package tree

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestInOrder shows for random steps that each comes after those it depends on, and otherwise none before an earlier one.
func TestInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		steps := make([]Step, rapid.IntRange(0, 20).Draw(t, "steps"))
		for i := range steps {
			n := &Node{ID: ID(i + 1), Diff: &Diff{Seq: rapid.Uint64Range(1, 20).Draw(t, "seq")}}
			steps[i] = Step{Op: Put, Node: n, Late: i > 15}
			steps[i].Aux = !steps[i].Late && rapid.Bool().Draw(t, "aux")
			for d := range i {
				if rapid.IntRange(0, 5).Draw(t, "depends") == 0 && !steps[d].Late {
					steps[i].Deps = append(steps[i].Deps, d)
				}
			}
		}
		sorted := InOrder(steps)
		require.Len(t, sorted, len(steps))
		at := map[ID]int{}
		needed := make([]map[int]bool, len(sorted)) // by index: all that a step depends on
		for i, s := range sorted {
			at[s.Node.ID] = i
			needed[i] = map[int]bool{}
			was := steps[s.Node.ID-1]
			require.Len(t, s.Deps, len(was.Deps))
			for _, d := range was.Deps {
				j := at[steps[d].Node.ID]
				require.Contains(t, s.Deps, j)
				require.Less(t, j, i)
				needed[i][j] = true
				for k := range needed[j] {
					needed[i][k] = true
				}
			}
		}
		for i, s := range sorted {
			for j := i + 1; j < len(sorted) && !s.Aux && !s.Late; j++ {
				later := sorted[j]
				if later.Aux || later.Late || later.Node.Diff.Seq >= s.Node.Diff.Seq {
					continue
				}
				wanted := false // s serves what comes before the later step
				for k := range sorted {
					wanted = wanted || needed[k][i] && !sorted[k].Aux && sorted[k].Node.Diff.Seq <= later.Node.Diff.Seq
				}
				require.True(t, wanted, "%d comes before %d", s.Node.ID, later.Node.ID)
			}
		}
	})
}
