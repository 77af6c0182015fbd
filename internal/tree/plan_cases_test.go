package tree

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Named cases of the net difference: what the program did, and the steps that are left of it.
func TestPlanCases(t *testing.T) {
	file := func(id string) entry { return entry{File, id} }
	dir := entry{kind: Dir}
	for _, c := range []struct {
		name   string
		remote plain
		calls  func(w *world)
		steps  []string
	}{
		{"a rename that is undone sends nothing", plain{"a": file("1")},
			func(w *world) { w.rename("a", "b"); w.rename("b", "a") }, nil},
		{"what is made and removed sends nothing", plain{},
			func(w *world) { w.put("a", "1"); w.create("d", Dir, ""); w.remove("a"); w.remove("d") }, nil},
		{"a rename of what the remote does not have renames the entry", plain{},
			func(w *world) { w.put("a", "1"); w.rename("a", "b") }, []string{"put b"}},
		{"a renamed directory is one step", plain{"d": dir, "d/a": file("1"), "d/b": file("2")},
			func(w *world) { w.rename("d", "e") }, []string{"rename d e"}},
		{"remove then create is a replace", plain{"a": file("1")},
			func(w *world) { w.remove("a"); w.put("a", "2") }, []string{"put a"}},
		{"write a temporary file and rename it over", plain{"a": file("1")},
			func(w *world) { w.put("t", "2"); w.rename("t", "a") }, []string{"put a"}},
		{"a rename over a file", plain{"a": file("1"), "b": file("2")},
			func(w *world) { w.rename("a", "b") }, []string{"rename a b"}},
		{"a swap goes through a parking name", plain{"a": file("1"), "b": file("2")},
			func(w *world) { w.rename("a", "t"); w.rename("b", "a"); w.rename("t", "b") },
			[]string{"rename a .syncfs-0000000000000002.park", "rename b a", "rename .syncfs-0000000000000002.park b"}},
		{"a chain needs none", plain{"a": file("1"), "b": file("2")},
			func(w *world) { w.rename("b", "c"); w.rename("a", "b") }, []string{"rename b c", "rename a b"}},
		{"a file becomes a directory", plain{"a": file("1")},
			func(w *world) { w.remove("a"); w.create("a", Dir, ""); w.put("a/b", "2") },
			[]string{"remove a", "mkdir a", "put a/b"}},
		{"a directory becomes a file", plain{"d": dir, "d/a": file("1")},
			func(w *world) { w.remove("d"); w.put("d", "2") }, []string{"remove d/a", "remove d", "put d"}},
		{"a file takes the place of its directory", plain{"d": dir, "d/a": file("1")},
			func(w *world) { w.rename("d/a", "t"); w.remove("d"); w.rename("t", "d") },
			[]string{"rename d/a .syncfs-0000000000000003.park", "remove d", "rename .syncfs-0000000000000003.park d"}},
		{"a directory and the one in it change places", plain{"d": dir, "d/e": dir, "d/e/f": file("1")},
			func(w *world) { w.rename("d/e", "t"); w.rename("d", "t/e"); w.rename("t", "d") },
			[]string{"rename d .syncfs-0000000000000002.park", "rename .syncfs-0000000000000002.park/e d",
				"rename .syncfs-0000000000000002.park d/e"}},
		{"out of a removed directory", plain{"d": dir, "d/a": file("1"), "d/b": file("2")},
			func(w *world) { w.rename("d/a", "a"); w.remove("d") }, []string{"rename d/a a", "remove d/b", "remove d"}},
		{"a moved and edited file moves first", plain{"a": file("1")},
			func(w *world) { w.rename("a", "b"); w.put("b", "2") }, []string{"rename a b", "put b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(c.remote)
			c.calls(w)
			var steps []string
			for _, s := range w.tree.Plan(parking) {
				line := s.Op.String() + " "
				if s.From != "" {
					line += s.From + " "
				}
				steps = append(steps, line+s.Path)
				require.NoError(t, w.execute(s))
			}
			require.Equal(t, c.steps, steps)
			require.Equal(t, w.model, w.remote)
		})
	}
}

// The steps of a cycle have a number; those that come before or after it, and independent ones, are not part of it.
func TestPlanCycles(t *testing.T) {
	w := newWorld(plain{"d": {kind: Dir}, "d/a": {File, "1"}, "d/b": {File, "2"}, "d/c": {File, "3"}, "d/e": {File, "4"},
		"x": {File, "5"}, "f": {kind: Dir}, "f/g": {File, "6"}, "f/h": {File, "7"}})
	w.rename("d", "n")
	for _, names := range [][2]string{{"n/a", "t"}, {"n/b", "n/a"}, {"t", "n/b"}, {"n/c", "t"}, {"n/e", "n/c"}, {"t", "n/e"},
		{"x", "y"}, {"f/g", "t"}} {
		w.rename(names[0], names[1])
	}
	w.remove("f")
	w.rename("t", "f")
	cycles := map[int][]string{}
	for _, s := range w.tree.Plan(func(*Node) string { return "aside" }) {
		cycles[s.Cycle] = append(cycles[s.Cycle], s.Op.String()+" "+s.From+" "+s.Path)
		require.Equal(t, strings.Contains(s.From, "aside"), s.Parked)
	}
	delete(cycles, 0)
	var steps [][]string
	for _, c := range cycles {
		steps = append(steps, c)
	}
	require.ElementsMatch(t, [][]string{
		{"rename n/a n/aside", "rename n/b n/a", "rename n/aside n/b"},
		{"rename n/c n/aside", "rename n/e n/c", "rename n/aside n/e"},
		{"rename f/g aside", "remove  f/h", "remove  f", "rename aside f"},
	}, steps)
}
