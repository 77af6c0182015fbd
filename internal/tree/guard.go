package tree

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Guard is a request that changes the remote and that was sent without its answer arriving. The remote may carry it out
// at any later time, and so undo what was pushed since.
type Guard struct {
	ID     ID
	Intent Intent
	Kind   Kind   // of the node that Intent makes, moves or removes
	Target string // of the symbolic link that Intent makes
	Base   Meta   // the version that Intent replaces
	Since  int64  // when its outcome was looked up, at or after the time of sending
}

// Guard records a request that may still be carried out. It replaces an equal one.
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

// Doubt guards the names of a node's step, whose request may still be carried out.
func (t *Tree) Doubt(n *Node, i Intent, now int64) {
	g := Guard{Intent: i, Kind: n.Kind, Target: n.Target(), Since: now}
	if replaced := t.AtRemote(i.To); replaced != nil {
		g.Base = replaced.Meta
	}
	t.Guard(g)
}

// Unguard removes a Guard.
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

// Guarded reports whether a request that may still be carried out concerns the node's path on the remote, or a
// directory above it.
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

// Name returns the path that the step concerns.
func (i Intent) Name() string { return cmp.Or(i.To, i.From) }

// Concerns reports whether the request concerns a remote path or a directory above it.
func (g *Guard) Concerns(path string) bool {
	i := g.Intent
	return Within(path, i.From) || Within(path, i.To)
}

// Explains reports whether a request that is carried out late would make the remote give that answer about a node.
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
			return true // by the step's file
		case known == Exists && path == i.To && i.Kind == Deliver && meta.Size <= i.Stamp.Size:
			return true // by what is left of the step's file
		case known == Exists && path == i.To && i.Attr.Set&AttrTimes != 0 && meta.Size == n.Meta.Size:
			return true
		}
	}
	return false
}

// guardsFollow adds guards for a directory's new path. The requests concern names in the directory, and what they did
// before the directory was moved has moved along.
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

// Takes reports whether a request that may still be carried out removes or renames exactly that remote path.
func (t *Tree) Takes(path string) bool {
	return t.anyGuard(func(i Intent) bool { return i.From == path && i.takes(path) })
}

// Brings reports whether a request that may still be carried out makes or renames something to that remote path.
func (t *Tree) Brings(path string) bool {
	return t.anyGuard(func(i Intent) bool { return i.To == path && i.Kind != Reset })
}

// Doubts reports whether a request that may still be carried out concerns a remote path, or one above or below it.
func (t *Tree) Doubts(path string) bool {
	return t.anyGuard(func(i Intent) bool {
		return slices.ContainsFunc([]string{i.From, i.To}, func(p string) bool { return Within(path, p) || Within(p, path) })
	})
}

func (t *Tree) anyGuard(is func(Intent) bool) bool {
	for _, g := range t.guards {
		if is(g.Intent) {
			return true
		}
	}
	return false
}

// takes reports whether the step removes or renames what is at a remote path, or a directory above it by a rename. What
// it moves to Aside is not lost, and a directory must be empty to be removed, so neither counts.
func (i Intent) takes(path string) bool {
	switch i.Kind {
	case Erase, Deliver, Publish:
		return path == i.From
	}
	return i.Kind.Renames() && Within(path, i.From)
}

// AtRemote returns the node that the remote has, or is assumed to have, at a path; nil if the tree has none.
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

// rollbackGuards undoes the changes of guards since the last [Tree.Commit].
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
	for _, id := range slices.Sorted(maps.Keys(guards)) { // the log must not depend on the order of a map
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

// KeepAttrs queues the attributes of a file that is uploaded again, where they differ from those of the file that it
// replaces. there describes that file.
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
