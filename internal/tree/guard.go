package tree

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Guard is a request that changes the remote, was sent, and may not have been carried out yet: its answer never came. The
// remote may carry it out at any later time, and undo what was pushed since.
type Guard struct {
	ID     ID
	Intent Intent
	Kind   Kind   // of what Intent makes, moves or removes
	Target string // of the symbolic link that Intent makes
	Base   Meta   // the version that Intent replaces
	Since  int64  // when what became of it was looked for, at or after the time it was sent
}

// Guard records a request that may still be carried out, in place of an equal one.
func (t *Tree) Guard(g Guard) {
	for id, old := range t.guards {
		if old.Intent == g.Intent && old.Kind == g.Kind && old.Target == g.Target {
			t.Unguard(id)
		}
	}
	t.lastID++
	g.ID = t.lastID
	t.setGuard(g.ID, &g)
}

// Unguard forgets a request.
func (t *Tree) Unguard(id ID) { t.setGuard(id, nil) }

func (t *Tree) setGuard(id ID, g *Guard) {
	if _, ok := t.savedGuards[id]; !ok {
		t.savedGuards[id] = t.guards[id]
	}
	t.putGuard(id, g)
	t.touchedGuards[id] = g
}

func (t *Tree) putGuard(id ID, g *Guard) {
	if g == nil {
		delete(t.guards, id)
	} else {
		t.guards[id] = g
	}
}

// Guards returns the requests that may still be carried out, in the order in which they were recorded.
func (t *Tree) Guards() []*Guard {
	return slices.SortedFunc(maps.Values(t.guards), func(a, b *Guard) int { return int(a.ID) - int(b.ID) })
}

// Guarded tells whether a request that may still be carried out is about the remote's file of the node, or about a
// directory that it is in.
func (t *Tree) Guarded(n *Node) bool {
	if len(t.guards) == 0 || !n.HasBase() {
		return false
	}
	path := n.RemotePath()
	for _, g := range t.guards {
		if g.Concerns(path) {
			return true
		}
	}
	return false
}

// Name is the path that the request is about.
func (i Intent) Name() string { return cmp.Or(i.To, i.From) }

// Concerns tells whether the request is about a path of the remote, or about a directory that it is in.
func (g *Guard) Concerns(path string) bool {
	i := g.Intent
	return Within(path, i.From) || Within(path, i.To)
}

// Explains tells whether a request that is carried out late would have the remote give that answer about a node.
func (t *Tree) Explains(n *Node, known Answer, meta Meta) bool {
	if len(t.guards) == 0 || !n.HasBase() {
		return false
	}
	path := n.RemotePath()
	for _, g := range t.guards {
		i := g.Intent
		switch {
		case known == Absent && i.takes(path):
			return true
		case known == Exists && path == i.To && meta.SameVersion(i.Meta):
			return true // replaced
		case known == Exists && path == i.To && i.Attr.Set&AttrTimes != 0 && meta.Size == n.Meta.Size:
			return true
		}
	}
	return false
}

// guardsFollow has requests about what is in a directory looked for where it is moved, too: what they did before that was
// moved along.
func (t *Tree) guardsFollow(from, to string) {
	for _, g := range t.Guards() {
		moved := *g
		for _, path := range []*string{&moved.Intent.From, &moved.Intent.To, &moved.Intent.Aside} {
			if rest, ok := strings.CutPrefix(*path, from+"/"); ok {
				*path = Join(to, rest)
			}
		}
		if moved.Intent != g.Intent {
			t.Guard(moved)
		}
	}
}

// Takes tells whether a request that may still be carried out removes or renames what is under a path of the remote itself.
func (t *Tree) Takes(path string) bool {
	return t.anyGuard(func(i Intent) bool { return i.From == path && i.takes(path) })
}

// Brings tells whether a request that may still be carried out makes something under a path of the remote, or renames
// something to it.
func (t *Tree) Brings(path string) bool {
	return t.anyGuard(func(i Intent) bool { return i.To == path && i.Kind != Reset })
}

func (t *Tree) anyGuard(is func(Intent) bool) bool {
	for _, g := range t.guards {
		if is(g.Intent) {
			return true
		}
	}
	return false
}

// takes tells whether the request removes or renames what is under a path of the remote. What it moves aside is not lost, and
// a directory that is removed is empty.
func (i Intent) takes(path string) bool {
	return i.Kind == Erase && path == i.From || i.Kind.Renames() && Within(path, i.From)
}

// AtRemote returns the node that the remote has, or is taken to have, under a path; nil if the tree has none.
func (t *Tree) AtRemote(path string) *Node {
	n := t.root
	if path == "." {
		return n
	}
	for _, name := range strings.Split(path, "/") {
		if n = n.OnRemote(name); n == nil {
			return nil
		}
	}
	return n
}

// rollbackGuards undoes the changes since the last [Tree.Commit].
func (t *Tree) rollbackGuards(recorded bool) {
	clear(t.touchedGuards)
	for id, g := range t.savedGuards {
		t.putGuard(id, g)
		if recorded {
			t.touchedGuards[id] = g
		}
	}
	clear(t.savedGuards)
}

func (e *encoder) guards(guards map[ID]*Guard) {
	e.uint(uint64(len(guards)))
	for _, id := range slices.Sorted(maps.Keys(guards)) { // the order of a map must not decide what a log looks like
		e.uint(uint64(id))
		g := guards[id]
		if g == nil {
			e.b = append(e.b, 0)
			continue
		}
		e.b = append(e.b, byte(g.Kind))
		e.string(g.Target)
		e.meta(g.Base)
		e.int(g.Since)
		e.intent(&g.Intent)
		e.attr(g.Intent.Attr)
	}
}

func (d *decoder) guards() map[ID]*Guard {
	guards := map[ID]*Guard{}
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		id, kind := d.id(), Kind(d.byte())
		guards[id] = nil
		if kind != 0 {
			g := &Guard{ID: id, Kind: kind, Target: d.string(), Base: d.meta(), Since: d.int(), Intent: d.intent()}
			g.Intent.Attr = d.attr()
			guards[id] = g
		}
	}
	return guards
}

// KeepAttrs has a file that is sent again get the attributes that it had, where those of what it replaces are others.
func (t *Tree) KeepAttrs(n *Node, there Meta, now int64) {
	a := &t.Note(n, now).Attr
	if a.Set&AttrTimes == 0 {
		a.Set |= AttrTimes
		a.ATime, a.MTime = n.Meta.MTime, n.Meta.MTime
	}
	if a.Set&AttrMode == 0 && n.Meta.Mode != there.Mode {
		a.Set |= AttrMode
		a.Mode = n.Meta.Mode &^ fs.ModeType
	}
}
