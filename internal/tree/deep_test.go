package tree

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// chain is directories, each in the one before, and files in the last one. in puts a node into a directory.
func chain(dirs, files int, name string, in func(n, dir *Node)) []*Node {
	last := New().Root()
	var all []*Node
	for i := range dirs + files {
		n := &Node{ID: ID(i + 2), Kind: Dir, name: name}
		if i >= dirs {
			n.Kind, n.name = File, string(rune('0'+i))
		}
		in(n, last)
		all = append(all, n)
		if n.Kind == Dir {
			last = n
		}
	}
	return all
}

// A log that was made to cost time costs some in proportion to its length. What is too deep is left out. (It takes minutes,
// or memory without end, if each node is followed to the root, or one level is found to be lost after the other.)
func TestDeepLogs(t *testing.T) {
	t.Parallel()
	const many = 50_000
	inView := func(n, dir *Node) { n.parent = dir }
	inBoth := func(n, dir *Node) { n.parent, n.base = dir, dir }
	round := func(n, dir *Node) {
		if n.parent = dir; dir.ID == 1 {
			n.parent = &Node{ID: many + 1} // the last one
		}
	}
	alternately := func(n, dir *Node) { // each is in the one before in one tree only; the first one is lost
		root := New().Root()
		n.name = strconv.Itoa(int(n.ID))
		n.parent, n.base = root, dir
		if n.ID%2 == 1 {
			n.parent, n.base = dir, root
		}
		if dir.ID == 1 {
			n.base = &Node{ID: 2 * many}
		}
	}
	for name, c := range map[string]struct {
		nodes []*Node
		left  int
	}{
		"deep":          {chain(many, 0, "d", inView), maxPath / 2},
		"in both trees": {chain(many, 0, "d", inBoth), maxPath / 2},
		"wide below":    {chain(maxPath/2-1, many, "d", inBoth), maxPath/2 - 1},
		"long names":    {chain(many/10, 0, strings.Repeat("d", 4095), inView), 2},
		"endless name":  {chain(2, 0, strings.Repeat("d", 1<<20), inBoth), 0},
		"round":         {chain(many, 0, "d", round), 0},
		"alternately":   {chain(many, 0, "d", alternately), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Replay()
			require.NoError(t, r.Apply(New().encode(c.nodes, nil, nil, nil)))
			tree, _, lost := r.Finish()
			require.Equal(t, len(c.nodes)-c.left, lost)
			tree.Nodes(func(n *Node) {
				require.LessOrEqual(t, len(n.Path()), maxPath)
				require.LessOrEqual(t, len(n.RemotePath()), maxPath)
			})
		})
	}
}
