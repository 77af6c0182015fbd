package tree

import (
	"cmp"
	"fmt"
	"slices"
)

// Op is what a step does on the remote.
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

// Step is one change of the remote. Paths are those that hold when the step's turn has come.
type Step struct {
	Op   Op
	Node *Node
	From string // Rename: where the node is
	Path string // what is made, replaced, removed or changed; Rename: where the node goes
	// To is the node's place on the remote once the step is done (Mkdir, Put, Symlink, Rename).
	To Slot
	// Replaces is a file removed in the view that the step replaces (Put, Rename) or that was at Path.
	Replaces *Node
	// Aux steps only serve others: a directory nobody asked for, a parking name that breaks a cycle.
	Aux bool
	// Deps are the steps that must have succeeded before.
	Deps []int
	// Parked says that From (Rename) or Path (Remove) leads through a place aside.
	Parked bool
	// Cycle numbers the steps that are made together or not at all: a node that is moved aside for one of them gets to
	// its place by another. 0: none.
	Cycle int
	// Late steps come when all others have ended, however they ended.
	Late bool
}

// Parks says whether the step moves a node aside, to break a cycle.
func (s Step) Parks() bool { return s.Aux && s.Op == Rename }

// Plan orders the difference into steps: each step's Deps come before it, and executing them all turns
// what the remote is known to have into the view. Places are taken as soon as they are free; a file is replaced by
// a rename over it; what stands in the way and belongs elsewhere is moved there first, or parked where that closes
// a cycle. Contents come after the structure and go straight to their final names; attributes of directories last.
//
// The plan is made from the two positions alone, so it can be made again at any time, after some of the steps of an
// earlier one. parking names the node's place aside, in whatever directory.
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
	for _, n := range nodes {
		if n.InView() {
			p.place(n)
		}
	}
	goOn := t.uploadsToGoOn(nodes)
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

// uploadsToGoOn are the temporary files of uploads that have begun, lie where they will be renamed, and may go on.
func (t *Tree) uploadsToGoOn(nodes []*Node) map[*Node]bool {
	temps := map[*Node]bool{}
	for _, n := range nodes {
		if n.InView() && n.content == Changed && n.Diff != nil && n.Diff.Part != nil {
			if temp := t.nodes[n.Diff.Part.Temp]; temp != nil && temp.base == n.parent {
				temps[temp] = true
			}
		}
	}
	return temps
}

func (d *Diff) seq() uint64 {
	if d == nil {
		return 0
	}
	return d.Seq
}
