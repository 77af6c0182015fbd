package tree

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A removal of others is not taken for a late request of this side, unless that removes or renames.
func TestExplains(t *testing.T) {
	t.Parallel()
	at := func(kind IntentKind, from, to, aside string) Intent {
		return Intent{Kind: kind, From: from, To: to, Aside: aside, Meta: Meta{Size: 7, MTime: 70}}
	}
	ours, others := Meta{Size: 7, MTime: 70}, Meta{Size: 8, MTime: 80}
	for _, c := range []struct {
		name   string
		intent Intent
		known  Answer
		meta   Meta
		want   bool
	}{
		{"removed", at(Erase, "d/f", "", ""), Absent, Meta{}, true},
		{"directory above removed, which was empty then", at(Erase, "d", "", ""), Absent, Meta{}, false},
		{"directory above renamed", at(Move, "d", "e", ""), Absent, Meta{}, true},
		{"other removed", at(Erase, "d/f2", "", ""), Absent, Meta{}, false},
		{"renamed", at(Move, "d/f", "d/g", "d/g (replaced)"), Absent, Meta{}, true},
		{"parked", at(Park, "d/f", "d/f (moving)", ""), Absent, Meta{}, true},
		{"moved aside by a rename", at(Move, "g", "d/f", "d/f (replaced)"), Absent, Meta{}, false},
		{"moved aside by an upload", at(Publish, "d/.part", "d/f", "d/f (replaced)"), Absent, Meta{}, false},
		{"replaced by an upload", at(Publish, "d/.part", "d/f", "d/f (replaced)"), Exists, ours, true},
		{"replaced by others", at(Publish, "d/.part", "d/f", "d/f (replaced)"), Exists, others, false},
		{"attributes", at(Reset, "", "d/f", ""), Absent, Meta{}, false},
		{"attributes of the directory", at(Reset, "", "d", ""), Absent, Meta{}, false},
		{"directory made", at(Make, "", "d", ""), Absent, Meta{}, false},
		{"temporary file", at(Upload, "d/f", "", ""), Absent, Meta{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tr := New()
			dir := tr.Discover(tr.Root(), "d", Dir, Meta{}, 0)
			n := tr.Discover(dir, "f", File, others, 0)
			tr.Guard(Guard{Intent: c.intent, Kind: File})
			require.Equal(t, c.want, tr.Explains(n, c.known, c.meta))
		})
	}
}

func TestTakenBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(tr *Tree, n *Node)
		want   bool
	}{
		"nothing was sent":   {func(*Tree, *Node) {}, false},
		"a removal":          {func(tr *Tree, n *Node) { tr.Note(n, 1).Intent = &Intent{Kind: Erase, From: "x"} }, true},
		"a rename":           {func(tr *Tree, n *Node) { tr.Note(n, 1).Intent = &Intent{Kind: Move, From: "x", To: "y"} }, false},
		"and then changed":   {func(tr *Tree, n *Node) { d := tr.Note(n, 1); d.Intent, d.Explicit = &Intent{Kind: Erase}, true }, false},
		"not discarded":      {func(tr *Tree, n *Node) { tr.Note(n, 1).Intent = &Intent{Kind: Erase}; tr.Unlink(n, 1) }, false},
		"it was never there": {func(tr *Tree, n *Node) { tr.Note(n, 1).Intent = &Intent{Kind: Erase}; tr.Erased(n, 1) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := New()
			n := tr.Discover(tr.Root(), "x", File, Meta{}, 1)
			c.change(tr, n)
			require.Equal(t, c.want, n.TakenBack())
		})
	}
}
