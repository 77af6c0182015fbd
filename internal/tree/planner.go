package tree

import (
	"cmp"
	"slices"
)

type placing uint8

const (
	untouched placing = iota
	underway
	placed
)

// planner simulates the remote while it emits the steps.
type planner struct {
	parking func(*Node) string
	steps   []Step
	pos     map[*Node]Slot // where moved nodes are now; a zero Slot: nowhere
	at      map[Slot]*Node // which node is in a place now; nil: none
	state   map[*Node]placing
	moved   map[*Node]int     // the last step that made or moved a node
	vacated map[Slot]int      // the last step that freed a place
	users   map[*Node][]int   // the steps whose paths go through a directory that is still to be moved or removed
	arrived map[*Node][]*Node // by directory: the nodes that steps have moved into it
	takes   map[*Node]*Node   // removed file -> file that replaces it
	aside   map[*Node]int     // the step that moved a node aside; -1: it is not aside any more
	homing  []homing
}

// homing is a step that brings a node from a place aside to its own place. parked is the step that moved it aside.
type homing struct{ step, parked int }

// earlier stands for the step of an earlier plan that has moved a node aside.
const earlier = -2

func (p *planner) where(n *Node) Slot {
	if s, ok := p.pos[n]; ok {
		return s
	}
	return Slot{n.base, n.baseName()}
}

func (p *planner) occupant(s Slot) *Node {
	if n, ok := p.at[s]; ok {
		return n
	}
	return s.Dir.OnRemote(s.Name)
}

// path returns the remote path that a place has now.
func (p *planner) path(s Slot) string {
	if s.Dir.IsRoot() {
		return s.Name
	}
	return Join(p.path(p.where(s.Dir)), s.Name)
}

// place brings a node of the view to its place on the remote, after its directory. It returns false if that would have
// to wait for a node whose own placing waits for this one.
func (p *planner) place(n *Node) bool {
	switch {
	case n.IsRoot() || p.state[n] == placed:
		return true
	case p.state[n] == underway || !p.place(n.parent):
		return false
	}
	to := Slot{n.parent, n.name}
	switch {
	case n.Kind == File && !n.HasBase():
		p.vacate(to, n) // content uploads it
		return true
	case p.where(n) != to:
		p.state[n] = underway
		p.vacate(to, n)
		p.bring(n, to)
	case n.Kind != Dir:
		return true // nothing is noted of most files: there may be many
	case n.Known != Exists:
		p.ensure(n, to)
	}
	p.state[n] = placed
	return true
}

// bring emits the step that moves or makes n at a place that is free or can be replaced.
func (p *planner) bring(n *Node, to Slot) {
	step := Step{Node: n, Path: p.path(to), To: to, Replaces: p.taken(n, to)}
	from := p.where(n)
	switch {
	case from.Dir != nil:
		step.Op, step.From, step.Parked = Rename, p.path(from), p.throughAside(n)
		if parked, ok := p.isAside(n); ok && !n.goesHome(parked) {
			p.homing = append(p.homing, homing{len(p.steps), parked})
		}
		p.emit(step, from, to)
	case n.Kind == Dir:
		step.Op = Mkdir
		p.emit(step, to)
	default:
		step.Op = Symlink
		p.emit(step, to)
	}
	p.went(n, from, to)
}

// ensure makes a directory that the remote is only assumed to have.
func (p *planner) ensure(n *Node, to Slot) {
	aux := n.Diff == nil || !n.Diff.Explicit
	p.emit(Step{Op: Mkdir, Node: n, Path: p.path(to), To: to, Aux: aux}, to)
	p.moved[n] = len(p.steps) - 1
}

// taken returns the removed file that n replaces when it goes to a place; nil if there is none.
func (p *planner) taken(n *Node, to Slot) *Node {
	if occ := p.occupant(to); occ != nil && p.takes[occ] == n {
		return occ
	}
	return nil
}

// vacate frees a place for n. Its occupant is moved where it belongs, removed, parked, or left there to be replaced.
func (p *planner) vacate(s Slot, n *Node) {
	occ := p.occupant(s)
	switch {
	case occ == nil:
	case occ.InView():
		if !p.place(occ) && p.occupant(s) == occ {
			p.park(occ, s.Dir)
		}
	case occ.Kind == File && n.Kind == File:
		p.takes[occ] = n
	default:
		p.clear(occ)
	}
}

// park moves a node aside, into directory dir.
func (p *planner) park(n, dir *Node) {
	from, to := p.where(n), Slot{dir, p.parking(n)}
	p.emit(Step{Op: Rename, Node: n, From: p.path(from), Path: p.path(to), To: to, Aux: true, Parked: p.throughAside(n)},
		from, to)
	p.went(n, from, to)
	p.aside[n] = len(p.steps) - 1
}

// isAside reports whether a node is aside now, and returns the step that moved it there.
func (p *planner) isAside(n *Node) (step int, ok bool) {
	if step, ok := p.aside[n]; ok {
		return step, step >= 0
	}
	return earlier, n.Parked()
}

// throughAside reports whether a node, or a directory above it, is aside now.
func (p *planner) throughAside(n *Node) bool {
	for ; !n.IsRoot(); n = p.where(n).Dir {
		if _, ok := p.isAside(n); ok {
			return true
		}
	}
	return false
}

// goesHome reports whether a node that an earlier plan has moved aside goes back to where it was before.
func (n *Node) goesHome(parked int) bool {
	return parked == earlier && *n.Diff.Home == Home{n.parent.ID, n.name}
}

// went records that the last step has moved n.
func (p *planner) went(n *Node, from, to Slot) {
	i := len(p.steps) - 1
	if from.Dir != nil {
		p.vacated[from] = i
		p.at[from] = nil
	}
	if to.Dir != nil {
		p.at[to] = n
		p.arrived[to.Dir] = append(p.arrived[to.Dir], n)
	}
	p.moved[n] = i
	p.pos[n] = to
	if _, ok := p.isAside(n); ok {
		p.aside[n] = -1
	}
}

// clear removes a node that is not in the view from the remote, after everything in it.
func (p *planner) clear(n *Node) {
	if p.state[n] != untouched {
		return
	}
	p.state[n] = underway
	// Moving a node out of a directory below may put it into this one.
	for kids := p.inside(n); len(kids) > 0; kids = p.inside(n) {
		for _, k := range kids {
			if !k.InView() {
				p.clear(k)
			} else if !p.place(k) {
				p.park(k, p.where(n).Dir)
			}
		}
	}
	from := p.where(n)
	p.emit(Step{Op: Remove, Node: n, Path: p.path(from), Aux: n.Temp, Parked: p.throughAside(n)}, from)
	p.went(n, from, Slot{})
	p.state[n] = placed
}

// inside returns the nodes that are in directory n on the remote now, in a fixed order.
func (p *planner) inside(n *Node) []*Node {
	var kids []*Node
	add := func(k *Node) {
		if p.where(k).Dir == n {
			kids = append(kids, k)
		}
	}
	n.RemoteKids(add)
	for _, k := range p.arrived[n] {
		add(k)
	}
	slices.SortFunc(kids, func(a, b *Node) int { return cmp.Compare(a.ID, b.ID) })
	return slices.Compact(kids)
}

// content emits the upload of a node's bytes.
func (p *planner) content(n *Node) {
	if n.Kind != File || !n.Dirty() && n.HasBase() {
		return
	}
	to := Slot{n.parent, n.name}
	p.emit(Step{Op: Put, Node: n, Path: p.path(to), To: to, Replaces: p.taken(n, to)}, to)
}

// attributes emits the change of a node's attributes, unless an upload sets them.
func (p *planner) attributes(n *Node) {
	if n.Diff == nil || n.Diff.Attr.Set == 0 {
		return
	}
	if n.Kind == File && (n.Dirty() || !n.HasBase()) {
		return
	}
	// Changes in a directory change its mtime, and may need its present mode.
	step := Step{Op: SetAttr, Node: n, Path: ".", Late: n.Kind == Dir}
	if !n.IsRoot() {
		to := Slot{n.parent, n.name}
		step.Path = p.path(to)
		step.Deps = p.deps(to)
		if i, ok := p.moved[n]; ok {
			step.Deps = append(step.Deps, i)
		}
	}
	p.steps = append(p.steps, step)
}

// emit appends a step that touches the given places, and adds its dependencies.
func (p *planner) emit(step Step, slots ...Slot) {
	i := len(p.steps)
	for _, s := range slots {
		step.Deps = append(step.Deps, p.deps(s)...)
	}
	if j, ok := p.moved[step.Node]; ok {
		step.Deps = append(step.Deps, j)
	}
	step.Deps = append(step.Deps, p.users[step.Node]...)
	if step.Replaces != nil {
		if j, ok := p.moved[step.Replaces]; ok {
			step.Deps = append(step.Deps, j)
		}
	}
	slices.Sort(step.Deps)
	step.Deps = slices.Compact(step.Deps)
	for _, s := range slots {
		for d := s.Dir; !d.IsRoot(); d = p.where(d).Dir {
			if p.unsettled(d) {
				p.users[d] = append(p.users[d], i)
			}
		}
	}
	p.steps = append(p.steps, step)
}

// unsettled reports whether this plan may still move or remove a directory.
func (p *planner) unsettled(d *Node) bool {
	return p.state[d] != placed && (!d.InView() || d.Moved())
}

// deps returns the steps that a place depends on: those that made or moved the directories above it, and the step that
// freed it.
func (p *planner) deps(s Slot) []int {
	var deps []int
	if i, ok := p.vacated[s]; ok {
		deps = append(deps, i)
	}
	for d := s.Dir; !d.IsRoot(); d = p.where(d).Dir {
		if i, ok := p.moved[d]; ok {
			deps = append(deps, i)
		}
	}
	return deps
}

// numberCycles numbers the steps of each cycle: those between the step that moves a node aside and the step that brings
// it to its place. The steps that the former depends on are not part of the cycle: if they fail, the node is not moved
// aside.
func (p *planner) numberCycles() {
	for k, h := range p.homing {
		before := map[int]bool{}
		if h.parked >= 0 {
			p.allDeps(h.parked, before)
			delete(before, h.parked)
		}
		p.join(h.step, k+1, before)
	}
}

// allDeps adds a step and everything that it depends on.
func (p *planner) allDeps(i int, all map[int]bool) {
	if all[i] {
		return
	}
	all[i] = true
	for _, d := range p.steps[i].Deps {
		p.allDeps(d, all)
	}
}

// join adds a step and what it depends on to a cycle. If a step is in another cycle already, the two cycles become one.
func (p *planner) join(i, cycle int, before map[int]bool) {
	was := p.steps[i].Cycle
	switch {
	case was == cycle || before[i]:
		return
	case was != 0:
		for j := range p.steps {
			if p.steps[j].Cycle == was {
				p.steps[j].Cycle = cycle
			}
		}
	}
	p.steps[i].Cycle = cycle
	for _, d := range p.steps[i].Deps {
		p.join(d, cycle, before)
	}
}
