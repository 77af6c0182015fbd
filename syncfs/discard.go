package syncfs

import (
	"cmp"
	"io/fs"
	"slices"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Discard removes the changes of the given names, and of everything below them, from the queue. The files are again as the
// remote has them, under their old names. A name is the name of a Change, or where the program sees (or saw) the file.
// Without names, Discard discards everything.
//
// A file that was queued by Add stays where it is in the local directory. Content that was written through the Fs is moved
// to .syncfs/discarded. A file that the user has put by hand into the old place of something stays, and is what the program
// sees; a copy that has lost its place this way is deleted. A change that is in the way of something that goes back is
// discarded, too.
//
// A file that a failed Push has moved aside on the remote, in the middle of a swap, goes back to its old name if that is
// free; the rename is queued. Otherwise, or if it is discarded again, it appears under the name that it has on the remote.
//
// The error matches fs.ErrNotExist if nothing of a name is queued, and ErrBusy if a file is open for writing. In both cases
// nothing is discarded. Discard waits for a running Push.
func (s *Fs) Discard(names ...string) error {
	done, err := s.alone()
	if err != nil {
		return err
	}
	defer done()
	var out []action
	err = s.m.Do(func(v *mirror.View) error {
		d := discarder{s: s, v: v, chosen: map[*tree.Node]bool{}, atHome: map[*tree.Node]bool{},
			local: localMoves{v: v, leaves: map[string]string{}, emptied: map[string]bool{}, filled: map[string]bool{},
				was: map[*tree.Node]string{}, yielded: map[*tree.Node]bool{}}}
		if err := d.choose(names); err != nil {
			return err
		}
		err := d.apply()
		out = d.local.out
		return err
	})
	if err == nil {
		s.emptyTrash(out)
	}
	return err
}

// discarder restores nodes to the place and state that they have on the remote.
type discarder struct {
	s      *Fs
	v      *mirror.View
	chosen map[*tree.Node]bool
	atHome map[*tree.Node]bool // nodes that are aside, and had been discarded before
	local  localMoves
}

func (d *discarder) choose(names []string) error {
	if len(names) == 0 {
		d.v.Tree().Pending(func(n *tree.Node) { d.take(n) })
		return d.idle()
	}
	// A change may have a name that is valid only while Push runs, because it renames a directory above first.
	steps := d.v.Tree().Plan(d.s.parkingName)
	for _, name := range names {
		clean, err := d.s.m.Clean(name)
		if err == nil && !d.chooseBelow(clean) && !d.chooseChange(steps, clean) {
			err = fs.ErrNotExist
		}
		if err != nil {
			return oserr.Path("discard", name, err)
		}
	}
	return d.idle()
}

// idle returns ErrBusy if a chosen file is open for writing.
func (d *discarder) idle() error {
	for n := range d.chosen {
		if n.Content() == tree.Busy {
			return oserr.Path("discard", whereabouts(n), ErrBusy)
		}
	}
	return nil
}

func (d *discarder) chooseChange(steps []tree.Step, name string) (found bool) {
	for _, step := range steps {
		if c := changeOf(d.v, step); !step.Aux && (c.Name == name || c.NewName == name) {
			d.take(step.Node)
			found = true
		}
	}
	return found
}

func (d *discarder) chooseBelow(name string) (found bool) {
	d.v.Tree().Pending(func(n *tree.Node) {
		if n.Temp {
			return
		}
		if tree.Within(whereabouts(n), name) ||
			n.HasBase() && (tree.Within(n.RemotePath(), name) || tree.Within(origin(d.v.Tree(), n), name)) {
			d.take(n)
			found = true
		}
	})
	return found
}

// whereabouts returns the path at which the program sees a node, or would see it had it not removed it.
func whereabouts(n *tree.Node) string {
	if n.InView() {
		return n.Path()
	}
	dir, name := n.Base()
	return tree.Join(whereabouts(dir), name)
}

// take chooses a node, the node that it has replaced, and the nodes without which it can't go back: removed directories
// above its place, the node in its place, and, if its directory was moved into the node itself, the directories in
// between that differ.
func (d *discarder) take(n *tree.Node) {
	if d.chosen[n] || n.Temp {
		return
	}
	d.chosen[n] = true
	if n.InView() && n.Parent() != nil {
		if g, hidden := n.Parent().Hidden(n.Name()); hidden && !g.InView() {
			d.take(g) // it was replaced
		}
	}
	if !n.HasBase() {
		n.Kids(d.take) // they go with it, or back to where they came from
		return
	}
	if n.InView() && !n.Moved() {
		return
	}
	dir, name := n.Base()
	if k := dir.Kid(name); k != nil && k != n {
		d.take(k)
	}
	if n.Kind == tree.Dir && (d.local.fileAt(tree.Join(whereabouts(dir), name)) || d.local.fileAt(n.RemotePath())) {
		d.takeBelow(n) // they have no place to go back to
	}
	if !dir.InView() {
		d.take(dir)
		return
	}
	if dir.Within(n) {
		for up := dir; up != n; up = up.Parent() {
			if up.Differs() {
				d.take(up)
			}
		}
	}
}

// takeBelow chooses all nodes below a directory that differ, in the view and on the remote.
func (d *discarder) takeBelow(dir *tree.Node) {
	var found []*tree.Node
	d.v.Tree().Pending(func(n *tree.Node) {
		if n.Within(dir) || n.HasBase() && tree.Within(n.RemotePath(), dir.RemotePath()) {
			found = append(found, n)
		}
	})
	for _, n := range found {
		d.take(n)
	}
}

func (d *discarder) apply() error {
	var nodes []*tree.Node
	for n := range d.chosen {
		nodes = append(nodes, n)
	}
	depth := func(n *tree.Node) int { return strings.Count(n.Path(), "/") }
	slices.SortFunc(nodes, func(a, b *tree.Node) int {
		return cmp.Or(cmp.Compare(depth(b), depth(a)), cmp.Compare(a.ID, b.ID))
	})
	var returning []*tree.Node
	for _, n := range nodes {
		d.discardBytes(n)
		d.revert(n)
		switch {
		case !n.HasBase():
			if n.Kind == tree.Dir {
				d.local.rmdir(n.Path())
			}
			d.v.Tree().Unlink(n, d.v.Now())
		case n.Moved():
			d.atHome[n] = n.Parked() && *n.Diff.Home == tree.Home{Dir: n.Parent().ID, Name: n.Name()}
			d.local.takeAway(n)
			d.v.Tree().Detach(n)
			returning = append(returning, n)
		case !n.InView():
			returning = append(returning, n)
		case n.Assumed(): // made offline: ask the remote now
			d.local.rmdir(n.Path())
			if !n.HasKids() {
				d.v.Tree().Forget(n)
			}
		}
	}
	base := func(n *tree.Node) int { return strings.Count(n.RemotePath(), "/") }
	slices.SortFunc(returning, func(a, b *tree.Node) int {
		return cmp.Or(compareBool(a.Parked(), b.Parked()), cmp.Compare(base(a), base(b)), cmp.Compare(a.ID, b.ID))
	})
	for _, n := range returning {
		d.putBack(n)
	}
	slices.SortFunc(returning, func(a, b *tree.Node) int { // the directories first
		return cmp.Or(cmp.Compare(depth(a), depth(b)), cmp.Compare(a.ID, b.ID))
	})
	for _, n := range returning {
		if n.Parked() && d.local.isTaken(n) {
			d.v.Tree().Detach(n)
			d.atHome[n] = true
			d.putBack(n)
		}
		d.local.bringBack(n)
	}
	return d.v.Save(append(d.local.out, d.local.back...)...)
}

// putBack makes the view show a node where the remote has it. A node that is aside is shown at its old place, if it was
// not discarded before and nothing else is known to be there.
func (d *discarder) putBack(n *tree.Node) {
	t := d.v.Tree()
	dir, name := n.Base()
	if n.Parked() {
		diff, home := t.Note(n, d.v.Now()), homeDir(t, n)
		free := home != nil && home.Kid(diff.Home.Name) == nil && home.OnRemote(diff.Home.Name) == nil
		if free && home.InView() && !home.Within(n) && !d.atHome[n] {
			dir, name = home, diff.Home.Name
			diff.Dest = tree.Absent
		} else {
			diff.Home = nil
		}
	}
	t.Relink(n, dir, name)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// discardBytes removes changed bytes from a node.
func (d *discarder) discardBytes(n *tree.Node) {
	switch {
	case !n.Dirty():
		return
	case n.Copy().Added && n.HasBase():
		disown(d.v, n)
		return
	case !n.Copy().Added:
		d.local.discard(n.Path())
	}
	d.v.Tree().Drop(n)
}

// revert removes the differences of a node other than its place and content.
func (d *discarder) revert(n *tree.Node) {
	if n.Diff == nil {
		return
	}
	diff := d.v.Tree().Note(n, d.v.Now())
	diff.Attr, diff.Explicit = tree.Attr{}, false // an intent is about the remote: it stays to be resolved
	d.v.Tree().Touch(n)
}
