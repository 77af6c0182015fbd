package tree

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
)

// Replayer rebuilds a tree from records. They must be applied in the order in which they were taken.
type Replayer struct {
	states  map[ID]state
	guards  map[ID]*Guard
	lastID  ID
	seq     uint64
	actions []Action
	done    int
	renamed map[string]bool // local directories in which the actions so far have changed names
}

// Replay returns a Replayer without records.
func Replay() *Replayer {
	return &Replayer{states: map[ID]state{}, guards: map[ID]*Guard{}, lastID: 1, renamed: map[string]bool{}}
}

// Apply applies one record. If it returns an error, it has applied nothing.
func (r *Replayer) Apply(record []byte) error {
	d := &decoder{b: record}
	kind := d.byte()
	switch {
	case d.err != nil:
		return d.err
	case kind == recordDone:
		done := d.uint()
		if err := d.end(); err != nil {
			return err
		}
		if done > uint64(len(r.actions)) {
			return errors.New("record marks more actions as done than there are")
		}
		r.done = int(done)
		return nil
	case kind != recordTransaction && kind != recordGuards:
		return fmt.Errorf("record of unknown kind %d", kind)
	}
	seq, lastID := uint64(d.id()), d.id()
	states := make([]state, 0, min(d.peekLen(), 4096))
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		states = append(states, d.node())
	}
	var dropped []ID
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		dropped = append(dropped, ID(d.uint()))
	}
	var actions []Action
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		actions = append(actions, Action{Kind: ActionKind(d.uint()), From: d.path(), To: d.path(), Ino: d.uint()})
	}
	var guards map[ID]*Guard
	if kind == recordGuards {
		guards = d.guards()
	}
	if err := d.end(); err != nil {
		return err
	}
	for id, g := range guards {
		if r.guards[id] = g; g == nil {
			delete(r.guards, id)
		}
		lastID = max(lastID, id)
	}
	for _, s := range states {
		r.states[s.node.ID] = s
		lastID = max(lastID, s.node.ID)
	}
	for _, id := range dropped {
		delete(r.states, id)
	}
	r.seq, r.lastID = max(r.seq, seq), max(r.lastID, lastID)
	r.actions, r.done = actions, 0
	for _, a := range actions {
		if a.Kind == RenameLocal {
			r.renamed[path.Dir(a.From)], r.renamed[path.Dir(a.To)] = true, true
		}
	}
	return nil
}

// Renamed returns the local directories in which the actions of the records have changed names. The records don't tell
// whether these changes have reached the disk.
func (r *Replayer) Renamed() []string { return slices.Collect(maps.Keys(r.renamed)) }

// Done returns how many actions of the last transaction are marked as done.
func (r *Replayer) Done() int { return r.done }

// Finish returns the tree, and the actions of the last transaction that may not have been made. It leaves out nodes
// whose place is unknown, and counts them as lost: this package can't have written their records.
func (r *Replayer) Finish() (t *Tree, undone []Action, lost int) {
	t = New()
	t.lastID, t.seq, t.guards = r.lastID, r.seq, r.guards
	if s, ok := r.states[t.root.ID]; ok { // the log holds only its difference and metadata
		t.root.Diff, t.root.Meta = s.node.Diff, s.node.Meta
		delete(r.states, t.root.ID)
	}
	lost = r.weed(t.root.ID)
	for _, s := range r.states {
		t.nodes.put(s.node)
	}
	for _, s := range r.states {
		n, name := s.node, s.node.name
		if s.parent != 0 {
			t.link(n, t.nodes.get(s.parent), name)
		}
		if s.base != 0 {
			t.rebase(n, t.nodes.get(s.base), s.baseName)
		}
	}
	for n := range t.nodes.all() {
		t.index(n)
	}
	t.account()
	t.saved = map[*Node]saved{}
	return t, r.actions[r.done:], lost
}

// maxID is the largest ID, and the largest number of a transaction, that is accepted. At one ID per nanosecond, it
// would take a century to get there.
const maxID = 1 << 62

// maxPath is the longest path of a node, in bytes, that is accepted. A call can't name a path of more than half of
// that, but renaming a directory can lengthen the paths below it. The bound also limits every walk from a node to the
// root.
const maxPath = 2 * 4096

// weed removes and counts the states whose place is unknown, occupied or too deep, with everything below them. It takes
// time in proportion to the number of states.
func (r *Replayer) weed(root ID) (lost int) {
	view := ways{r.states, func(s state) place { return place{s.parent, s.node.name} }, map[ID]int{root: 0}}
	remote := ways{r.states, func(s state) place { return place{s.base, s.baseName} }, map[ID]int{root: 0}}
	seen, based := map[place]bool{}, map[place]bool{}
	var bad []ID
	for id, s := range r.states {
		switch p, b := view.up(s), remote.up(s); {
		case p.dir == 0 && b.dir == 0, !view.leads(p), !remote.leads(b), seen[p], based[b]:
			bad = append(bad, id)
		default:
			seen[p], based[b] = p.dir != 0, b.dir != 0
		}
	}
	if len(bad) == 0 {
		return 0
	}
	below := map[ID][]ID{}
	for id, s := range r.states {
		below[s.parent] = append(below[s.parent], id)
		if s.base != s.parent {
			below[s.base] = append(below[s.base], id)
		}
	}
	for len(bad) > 0 {
		last := len(bad) - 1
		id := bad[last]
		bad = bad[:last]
		if _, ok := r.states[id]; ok {
			delete(r.states, id)
			lost++
			bad = append(bad, below[id]...)
		}
	}
	return lost
}

// place is a name in a directory.
type place struct {
	dir  ID
	name string
}

// ways computes the lengths of paths in one of the two trees.
type ways struct {
	states map[ID]state
	up     func(state) place
	dirs   map[ID]int // length of each directory's path; -1: does not lead to the root, or is too long
}

// leads reports whether a place leads to the root. The zero place, for a node outside the tree, does.
func (w *ways) leads(p place) bool {
	if p.dir == 0 {
		return true
	}
	length := w.length(p.dir)
	return p.name != "" && length >= 0 && length+1+len(p.name) <= maxPath
}

// length returns the length of a directory's path. It visits each directory once.
func (w *ways) length(dir ID) int {
	var way []ID // up to a directory whose length is known
	length, known := w.dirs[dir]
	for !known {
		s, ok := w.states[dir]
		if !ok || s.node.Kind != Dir {
			length = -1
			break
		}
		way = append(way, dir)
		w.dirs[dir] = -1 // in case of a cycle
		dir = w.up(s).dir
		length, known = w.dirs[dir]
	}
	for _, id := range slices.Backward(way) {
		if length >= 0 {
			if length += 1 + len(w.up(w.states[id]).name); length > maxPath {
				length = -1
			}
		}
		w.dirs[id] = length
	}
	return length
}
