package tree

import (
	"errors"
	"fmt"
)

// Replayer rebuilds a tree from records, in the order in which they were taken.
type Replayer struct {
	states  map[ID]state
	lastID  ID
	seq     uint64
	actions []Action
	done    int
}

// Replay starts to rebuild a tree.
func Replay() *Replayer { return &Replayer{states: map[ID]state{}, lastID: 1} }

// Apply takes one record. After an error nothing of the record has been applied.
func (r *Replayer) Apply(record []byte) error {
	d := &decoder{b: record}
	switch kind := d.byte(); {
	case d.err != nil:
		return d.err
	case kind == recordDone:
		if r.done = int(d.uint()); d.err == nil && r.done > len(r.actions) {
			d.err = errors.New("record marks more actions as done than there are")
		}
		return d.err
	case kind != recordTransaction:
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
		actions = append(actions, Action{Kind: ActionKind(d.uint()), From: d.string(), To: d.string()})
	}
	if d.err != nil {
		return d.err
	}
	for _, s := range states {
		r.states[s.node.ID] = s
	}
	for _, id := range dropped {
		delete(r.states, id)
	}
	r.seq, r.lastID = max(r.seq, seq), max(r.lastID, lastID)
	r.actions, r.done = actions, 0
	return nil
}

// Finish returns the tree, and the actions of the last transaction that may not have been made. Nodes whose place
// is not known are left out and counted: their records cannot have been written by this package.
func (r *Replayer) Finish() (t *Tree, undone []Action, lost int) {
	t = New()
	t.lastID, t.seq = r.lastID, r.seq
	if s, ok := r.states[t.root.ID]; ok { // only its difference is recorded
		t.root.Diff, t.root.Meta = s.node.Diff, s.node.Meta
		delete(r.states, t.root.ID)
	}
	known := func(id ID) bool {
		_, ok := r.states[id]
		return ok || id == 0 || id == t.root.ID
	}
	for again := true; again; {
		again = false
		for id, s := range r.states {
			if !known(s.parent) || !known(s.base) || s.parent == 0 && s.base == 0 {
				delete(r.states, id)
				lost++
				again = true
			}
		}
	}
	for id, s := range r.states {
		t.nodes[id] = s.node
	}
	for _, s := range r.states {
		n, name, baseName := s.node, s.node.name, s.node.baseName
		if s.parent != 0 {
			t.link(n, t.nodes[s.parent], name)
		}
		if s.base != 0 {
			t.rebase(n, t.nodes[s.base], baseName)
		}
	}
	for _, n := range t.nodes {
		if n.Differs() {
			t.pending[n.ID] = n
		}
	}
	return t, r.actions[r.done:], lost
}
