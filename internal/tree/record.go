package tree

import (
	"encoding/binary"
	"slices"
)

// A record is a transaction, or a mark that some actions of the last transaction are done. Integers are varints,
// strings and lists are preceded by their length, hashes are raw.
//
//	transaction: 1, seq, last id, nodes [state...], dropped [id...], actions [kind, from, to, ino...]
//	with guards: 3, ..., guards [id, kind, ...]
//	done:        2, number of actions done
const (
	recordTransaction = 1
	recordDone        = 2
	recordGuards      = 3
)

// Take encodes the changes since the last call as one transaction, with the actions that belong to it. It returns nil
// if there are neither changes nor actions.
func (t *Tree) Take(actions []Action) []byte {
	if len(t.touched) == 0 && len(actions) == 0 && len(t.touchedGuards) == 0 {
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
	// The log must not depend on the order of a map.
	slices.SortFunc(nodes, func(a, b *Node) int { return int(a.ID) - int(b.ID) })
	slices.Sort(dropped)
	record := t.encode(nodes, dropped, actions, t.touchedGuards)
	clear(t.touchedGuards)
	return record
}

// withAncestors appends n and those of its ancestors, in both trees, that are not in the log yet.
func (t *Tree) withAncestors(nodes []*Node, n *Node) []*Node {
	nodes = append(nodes, n)
	t.save(n)
	n.recorded = true
	for _, up := range []*Node{n.parent, n.base} {
		if up != nil && !up.recorded {
			if _, ok := t.touched[up.ID]; !ok { // else it is in t.touched itself
				nodes = t.withAncestors(nodes, up)
			}
		}
	}
	return nodes
}

// EncodeDone encodes the mark that the first n actions of the last transaction are done.
func EncodeDone(n int) []byte {
	return binary.AppendUvarint([]byte{recordDone}, uint64(n))
}

// Snapshot yields records that rebuild the tree, one per 4,096 nodes. The yielded slice is reused.
func (t *Tree) Snapshot(yield func([]byte) bool) {
	const chunk = 4096
	nodes := make([]*Node, 0, chunk)
	flush := func(guards map[ID]*Guard) bool {
		slices.SortFunc(nodes, func(a, b *Node) int { return int(a.ID) - int(b.ID) })
		ok := yield(t.encode(nodes, nil, nil, guards))
		nodes = nodes[:0]
		return ok
	}
	for n := range t.nodes.all() {
		if !n.recorded || n.IsRoot() && n.Diff == nil {
			continue
		}
		if nodes = append(nodes, n); len(nodes) == chunk && !flush(nil) {
			return
		}
	}
	flush(t.guards)
}

func (t *Tree) encode(nodes []*Node, dropped []ID, actions []Action, guards map[ID]*Guard) []byte {
	e := encoder{b: make([]byte, 0, 64+128*len(nodes))}
	kind := byte(recordTransaction)
	if len(guards) > 0 {
		kind = recordGuards
	}
	e.b = append(e.b, kind)
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
		e.uint(a.Ino)
	}
	if len(guards) > 0 {
		e.guards(guards)
	}
	return e.b
}
