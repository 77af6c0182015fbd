package tree

import (
	"cmp"
	"fmt"
	"slices"
)

// Op is the operation of a step on the remote.
type Op uint8

// The operations.
const (
	Mkdir Op = iota + 1
	Put
	Symlink
	Rename
	Remove
	SetAttr
)

func (o Op) String() string {
	switch o {
	case Mkdir:
		return "mkdir"
	case Put:
		return "put"
	case Symlink:
		return "symlink"
	case Rename:
		return "rename"
	case Remove:
		return "remove"
	case SetAttr:
		return "setattr"
	}
	return fmt.Sprintf("op %d", uint8(o))
}

// Slot is a place for a node: a name in a directory.
type Slot struct {
	Dir  *Node
	Name string
}

// Step is one change of the remote. Its paths are valid at the time when the step runs.
type Step struct {
	Op   Op
	Node *Node
	From string // Rename: the path of the node before
	Path string // what is made, replaced, removed or changed; Rename: the path of the node after
	// To is the place of the node on the remote after the step (Mkdir, Put, Symlink, Rename).
	To Slot
	// Replaces is a file, removed in the view, that the step replaces (Put, Rename) or that was at Path.
	Replaces *Node
	// Aux marks a step that only serves others: it makes an assumed directory, parks a node to break a cycle, or removes a
	// temporary file.
	Aux bool
	// Deps are the indexes of the steps that must succeed first.
	Deps []int
	// Parked reports whether From (Rename) or Path (Remove) leads through a place aside.
	Parked bool
	// Cycle numbers the steps that run together or not at all: one step moves a node aside, and another brings it to its
	// place. 0: none.
	Cycle int
	// Late steps run when all others have ended, with or without success.
	Late bool
}

// Parks reports whether the step moves a node aside to break a cycle.
func (s Step) Parks() bool { return s.Aux && s.Op == Rename }

// Plan orders the difference into steps. The Deps of a step come before it. Executing all steps turns the known state
// of the remote into the view. A place is taken as soon as it is free, and a file is replaced by a rename over it. A
// node in the way that belongs elsewhere is moved there first, or parked if that would close a cycle. Uploads follow
// the changes of the structure and go to the final names. Attributes of directories come last.
//
// The plan depends only on the two positions of each node. So it can be made again at any time, after some steps of an
// earlier plan. parking returns the name for a node that is moved aside, which must be free in every directory.
func (t *Tree) Plan(parking func(*Node) string) []Step {
	p := &planner{
		parking: parking,
		pos:     map[*Node]Slot{},
		at:      map[Slot]*Node{},
		state:   map[*Node]placing{},
		moved:   map[*Node]int{},
		vacated: map[Slot]int{},
		users:   map[*Node][]int{},
		arrived: map[*Node][]*Node{},
		takes:   map[*Node]*Node{},
		aside:   map[*Node]int{},
	}
	nodes := make([]*Node, 0, len(t.pending))
	for _, n := range t.pending {
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b *Node) int {
		return cmp.Or(cmp.Compare(a.Diff.seq(), b.Diff.seq()), cmp.Compare(a.ID, b.ID))
	})
	p.steps = make([]Step, 0, len(nodes))
	for _, n := range nodes {
		if n.InView() {
			p.place(n)
		}
	}
	goOn := map[*Node]bool{}
	for _, n := range nodes {
		if temp := t.PartOf(n); temp != nil {
			goOn[temp] = true
		}
	}
	for _, n := range nodes {
		if !n.InView() && p.takes[n] == nil && !goOn[n] {
			p.clear(n)
		}
	}
	for _, n := range nodes {
		if n.InView() {
			p.content(n)
		}
	}
	for _, n := range nodes {
		if n.InView() {
			p.attributes(n)
		}
	}
	p.numberCycles()
	return p.steps
}

// PartOf returns the temporary file from which the upload of a node may go on; nil if there is none, or if its
// directory is to be moved or removed.
func (t *Tree) PartOf(n *Node) *Node {
	if !n.InView() || n.content != Changed || n.Diff == nil || n.Diff.Part == nil {
		return nil
	}
	temp := t.nodes.get(n.Diff.Part.Temp)
	if temp == nil || temp.base != n.parent && !temp.base.stays() {
		return nil
	}
	return temp
}

// stays reports whether a directory is in both trees at the same place.
func (n *Node) stays() bool {
	for ; !n.IsRoot(); n = n.base {
		if !n.InView() || n.Moved() {
			return false
		}
	}
	return true
}

func (d *Diff) seq() uint64 {
	if d == nil {
		return 0
	}
	return d.Seq
}
