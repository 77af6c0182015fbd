package tree

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
)

// Replayer rebuilds a tree from records, in the order in which they were taken.
type Replayer struct {
	states  map[ID]state
	guards  map[ID]*Guard
	lastID  ID
	seq     uint64
	actions []Action
	done    int
	renamed map[string]bool // local directories in which the actions so far have changed names
}

// Replay starts to rebuild a tree.
func Replay() *Replayer {
	return &Replayer{states: map[ID]state{}, guards: map[ID]*Guard{}, lastID: 1, renamed: map[string]bool{}}
}

// Apply takes one record. After an error nothing of the record has been applied.
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
	seq, lastID := d.uint(), ID(d.uint())
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
		actions = append(actions, Action{Kind: ActionKind(d.uint()), From: d.string(), To: d.string(), Ino: d.uint()})
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
	}
	for _, s := range states {
		r.states[s.node.ID] = s
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

// Renamed are the local directories in which the actions of the records have changed names. Whether that has reached the
// disk, the records don't tell.
func (r *Replayer) Renamed() []string { return slices.Collect(maps.Keys(r.renamed)) }

// Finish returns the tree, and the actions of the last transaction that may not have been made. Nodes whose place
// is not known are left out and counted: their records cannot have been written by this package.
func (r *Replayer) Finish() (t *Tree, undone []Action, lost int) {
	t = New()
	t.lastID, t.seq, t.guards = r.lastID, r.seq, r.guards
	if s, ok := r.states[t.root.ID]; ok { // only its difference is recorded
		t.root.Diff, t.root.Meta = s.node.Diff, s.node.Meta
		delete(r.states, t.root.ID)
	}
	lost = r.weed(t.root.ID)
	for id, s := range r.states {
		t.nodes[id] = s.node
	}
	for _, s := range r.states {
		n, name := s.node, s.node.name
		if s.parent != 0 {
			t.link(n, t.nodes[s.parent], name)
		}
		if s.base != 0 {
			t.rebase(n, t.nodes[s.base], s.baseName)
		}
	}
	for _, n := range t.nodes {
		t.index(n)
	}
	t.account()
	t.saved = map[*Node]saved{}
	return t, r.actions[r.done:], lost
}

// weed leaves out states whose place is not known or taken, and counts them.
func (r *Replayer) weed(root ID) (lost int) {
	leads := func(id ID, up func(state) ID) bool {
		for range len(r.states) + 1 { // a longer way goes round
			s, ok := r.states[id]
			switch {
			case id == root:
				return true
			case !ok || s.node.Kind != Dir:
				return false
			}
			id = up(s)
		}
		return false
	}
	type place struct {
		dir  ID
		name string
	}
	for again := true; again; {
		again = false
		view, remote := map[place]bool{}, map[place]bool{}
		for id, s := range r.states {
			inView, hasBase := place{s.parent, s.node.name}, place{s.base, s.baseName}
			switch {
			case s.parent == 0 && s.base == 0,
				s.parent != 0 && s.node.name == "", s.base != 0 && s.baseName == "",
				s.parent != 0 && (view[inView] || !leads(s.parent, func(s state) ID { return s.parent })),
				s.base != 0 && (remote[hasBase] || !leads(s.base, func(s state) ID { return s.base })):
				delete(r.states, id)
				lost++
				again = true
				continue
			}
			view[inView], remote[hasBase] = s.parent != 0, s.base != 0
		}
	}
	return lost
}
