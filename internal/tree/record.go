package tree

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// A record is a transaction or a mark that some of the last transaction's actions are done. Integers are varints,
// strings and lists carry their length, hashes are raw.
//
//	transaction: 1, seq, last id, nodes [state...], dropped [id...], actions [kind, from, to...]
//	done:        2, number of actions done
const (
	recordTransaction = 1
	recordDone        = 2
)

// Take encodes what changed since the last call as one transaction, with the actions that belong to it. It returns
// nil if nothing changed and there are no actions.
func (t *Tree) Take(actions []Action) []byte {
	if len(t.touched) == 0 && len(actions) == 0 {
		return nil
	}
	t.seq++
	var nodes []*Node
	var dropped []ID
	for id, n := range t.touched {
		if n == nil {
			dropped = append(dropped, id)
		} else {
			nodes = t.withAncestors(nodes, n)
		}
	}
	clear(t.touched)
	// The order of a map must not decide what a log looks like.
	slices.SortFunc(nodes, func(a, b *Node) int { return int(a.ID) - int(b.ID) })
	slices.Sort(dropped)
	return t.encode(nodes, dropped, actions)
}

// withAncestors appends n and those of its ancestors in both trees that the log does not have yet.
func (t *Tree) withAncestors(nodes []*Node, n *Node) []*Node {
	nodes = append(nodes, n)
	t.save(n)
	n.recorded = true
	for _, up := range []*Node{n.parent, n.base} {
		if up != nil && !up.recorded {
			if _, ok := t.touched[up.ID]; !ok { // else its own turn comes
				nodes = t.withAncestors(nodes, up)
			}
		}
	}
	return nodes
}

// EncodeDone encodes that the first n actions of the last transaction are done.
func EncodeDone(n int) []byte {
	return binary.AppendUvarint([]byte{recordDone}, uint64(n))
}

// Snapshot yields records that rebuild the tree: one for each few thousand nodes. The yielded slice is reused.
func (t *Tree) Snapshot(yield func([]byte) bool) {
	const chunk = 4096
	nodes := make([]*Node, 0, chunk)
	flush := func() bool {
		slices.SortFunc(nodes, func(a, b *Node) int { return int(a.ID) - int(b.ID) })
		ok := yield(t.encode(nodes, nil, nil))
		nodes = nodes[:0]
		return ok
	}
	for _, n := range t.nodes {
		if !n.recorded || n.IsRoot() && n.Diff == nil {
			continue
		}
		if nodes = append(nodes, n); len(nodes) == chunk && !flush() {
			return
		}
	}
	flush()
}

func (t *Tree) encode(nodes []*Node, dropped []ID, actions []Action) []byte {
	e := encoder{b: make([]byte, 0, 64+128*len(nodes))}
	e.b = append(e.b, recordTransaction)
	e.uint(t.seq)
	e.uint(uint64(t.lastID))
	e.uint(uint64(len(nodes)))
	for _, n := range nodes {
		e.node(n)
	}
	e.uint(uint64(len(dropped)))
	for _, id := range dropped {
		e.uint(uint64(id))
	}
	e.uint(uint64(len(actions)))
	for _, a := range actions {
		e.uint(uint64(a.Kind))
		e.string(a.From)
		e.string(a.To)
	}
	return e.b
}

type encoder struct{ b []byte }

func (e *encoder) uint(v uint64)   { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)     { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) hash(h Hash)     { e.b = append(e.b, h[:]...) }
func (e *encoder) string(s string) { e.uint(uint64(len(s))); e.b = append(e.b, s...) }

func (e *encoder) id(n *Node) {
	if n == nil {
		e.uint(0)
		return
	}
	e.uint(uint64(n.ID))
}

func (e *encoder) meta(m Meta) {
	e.uint(uint64(m.Mode))
	e.int(m.Size)
	e.int(m.MTime)
}

func (e *encoder) stamp(s Stamp) {
	e.int(s.Size)
	e.int(s.MTime)
	e.int(s.CTime)
	e.uint(s.Ino)
}

func (e *encoder) copy(c *Copy) {
	e.stamp(c.Stamp)
	e.hash(c.Hash)
	e.int(c.Fetched)
}

// What follows the fixed part of a node's state.
const (
	hasTarget uint64 = 1 << iota
	hasCopy
	hasDiff
	hasIntent
	isUnsure
	isStale
	isAdded
	isExplicit
	hasBaseName
	hasPrev
	isLanding
)

func flag(bit uint64, set bool) uint64 {
	if set {
		return bit
	}
	return 0
}

func (e *encoder) node(n *Node) {
	c, d := n.Copy, n.Diff
	e.uint(uint64(n.ID))
	e.uint(flag(hasTarget, n.Target != "") | flag(hasCopy, c != nil) | flag(hasDiff, d != nil) |
		flag(hasIntent, d != nil && d.Intent != nil) | flag(isUnsure, c != nil && c.Unsure) |
		flag(isStale, c != nil && c.Stale) | flag(isAdded, c != nil && c.Added) |
		flag(isLanding, c != nil && c.Landing) | flag(hasPrev, c != nil && c.Prev != nil) |
		flag(isExplicit, d != nil && d.Explicit) |
		flag(hasBaseName, n.base != nil && (n.base != n.parent || n.baseName != n.name)))
	e.b = append(e.b, byte(n.Kind), byte(n.Content), byte(n.Known))
	e.id(n.parent)
	e.string(n.name)
	e.id(n.base)
	if n.base != nil && (n.base != n.parent || n.baseName != n.name) { // else it is the same
		e.string(n.baseName)
	}
	e.meta(n.Meta)
	e.int(n.Checked)
	if n.Target != "" {
		e.string(n.Target)
	}
	if c != nil {
		e.copy(c)
		if c.Prev != nil {
			e.copy(c.Prev)
		}
	}
	if d == nil {
		return
	}
	e.uint(d.Seq)
	e.int(d.Queued)
	e.uint(uint64(d.Attempts))
	e.string(d.Err)
	e.b = append(e.b, byte(d.Dest), byte(d.Attr.Set))
	if d.Attr.Set != 0 {
		e.uint(uint64(d.Attr.Mode))
		e.int(int64(d.Attr.UID))
		e.int(int64(d.Attr.GID))
		e.int(d.Attr.ATime)
		e.int(d.Attr.MTime)
	}
	if i := d.Intent; i != nil {
		e.b = append(e.b, byte(i.Kind))
		e.string(i.From)
		e.string(i.To)
		e.string(i.Aside)
		e.uint(uint64(i.Dir))
		e.meta(i.Meta)
		e.hash(i.Hash)
		e.stamp(i.Stamp)
	}
}

var errTruncated = errors.New("record ends early")

// decoder reads what encoder wrote. The first error sticks.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) fail() {
	d.b = nil
	if d.err == nil {
		d.err = errTruncated
	}
}

func (d *decoder) string() string { return string(d.bytes(d.uint())) }

func (d *decoder) hash() (h Hash) {
	copy(h[:], d.bytes(uint64(len(h))))
	return h
}

func (d *decoder) meta() Meta {
	return Meta{Mode: fs.FileMode(d.uint()), Size: d.int(), MTime: d.int()}
}

func (d *decoder) stamp() Stamp {
	return Stamp{Size: d.int(), MTime: d.int(), CTime: d.int(), Ino: d.uint()}
}

func (d *decoder) copy() *Copy {
	return &Copy{Stamp: d.stamp(), Hash: d.hash(), Fetched: d.int()}
}

// state is a node's state with its positions still by identity.
type state struct {
	node         *Node
	parent, base ID
}

func (d *decoder) node() state {
	n := &Node{recorded: true}
	n.ID = ID(d.uint())
	flags := d.uint()
	n.Kind, n.Content, n.Known = Kind(d.byte()), Content(d.byte()), Answer(d.byte())
	s := state{node: n, parent: ID(d.uint())}
	n.name = d.string()
	s.base = ID(d.uint())
	if s.base != 0 {
		n.baseName = n.name
		if flags&hasBaseName != 0 {
			n.baseName = d.string()
		}
	}
	n.Meta = d.meta()
	n.Checked = d.int()
	if flags&hasTarget != 0 {
		n.Target = d.string()
	}
	if flags&hasCopy != 0 {
		n.Copy = d.copy()
		n.Copy.Unsure, n.Copy.Stale = flags&isUnsure != 0, flags&isStale != 0
		n.Copy.Added, n.Copy.Landing = flags&isAdded != 0, flags&isLanding != 0
		if flags&hasPrev != 0 {
			n.Copy.Prev = d.copy()
		}
	}
	if flags&hasDiff != 0 {
		n.Diff = &Diff{Seq: d.uint(), Queued: d.int(), Attempts: int(d.uint()), Err: d.string(),
			Dest: Answer(d.byte()), Explicit: flags&isExplicit != 0}
		a := &n.Diff.Attr
		if a.Set = AttrMask(d.byte()); a.Set != 0 {
			*a = Attr{Set: a.Set, Mode: fs.FileMode(d.uint()), UID: int(d.int()), GID: int(d.int()),
				ATime: d.int(), MTime: d.int()}
		}
		if flags&hasIntent != 0 {
			n.Diff.Intent = &Intent{Kind: IntentKind(d.byte()), From: d.string(), To: d.string(),
				Aside: d.string(), Dir: ID(d.uint()), Meta: d.meta(), Hash: d.hash(), Stamp: d.stamp()}
		}
	}
	if d.err == nil && (n.ID == 0 || n.Kind < File || n.Kind > Link || n.Content > Interrupted || n.Known > Exists) {
		d.err = fmt.Errorf("record has an impossible state for node %d", n.ID)
	}
	return s
}

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

// peekLen is how many elements the list that comes next says to have.
func (d *decoder) peekLen() uint64 {
	v, _ := binary.Uvarint(d.b)
	return v
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
