package mirror

import (
	"cmp"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/remoteclock"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// due reports whether something that was checked at the given time has to be checked again. Times are in nanoseconds.
func due(revalidate time.Duration, checked, now int64) bool {
	switch {
	case revalidate == 0:
		return false
	case revalidate == Always:
		return true
	}
	return now-checked >= int64(revalidate) || now < checked // the clock was set back
}

// refresh asks the remote about a node without local changes, if revalidation is due. A node that is gone on the remote is
// gone from the tree afterwards.
func (v *View) refresh(n *tree.Node) error {
	if err, fetched := v.known.fetched[n.ID]; fetched && err == nil && n.Content() == tree.Owned {
		return nil // what this call fetched is newer than what it asked before
	}
	if !v.askable(n) {
		return nil
	}
	a, err := v.Ask(n.RemotePath())
	switch {
	case err != nil:
		return err
	case a.Known != tree.Unknown:
		v.Learn(n, a)
	case !v.opt.StaleIfUnavailable || !v.servable(n):
		return a.Err
	}
	return nil
}

// servable reports whether a node can be shown without an answer from the remote.
func (v *View) servable(n *tree.Node) bool {
	if n.Kind == tree.Dir {
		_, err := v.local.Lstat(n.Path())
		return err == nil
	}
	return n.Content() == tree.Owned && !n.Copy().Stale
}

// refreshRoot asks the remote about its root. The root exists whatever the answer is.
func (v *View) refreshRoot() error {
	n := v.tree.Root()
	if n.Meta.Mode != 0 && (v.lists.Current(n.Checked, v.Now()) || !due(v.opt.Revalidate, n.Checked, v.Now())) {
		return nil
	}
	a, err := v.Ask(".")
	if err == nil && a.Known == tree.Exists {
		v.LearnRoot(a)
	}
	return err
}

// LearnRoot records the remote's answer about the root.
func (v *View) LearnRoot(a remote.Answer) {
	n := v.tree.Root()
	v.tree.Edit(n)
	n.Meta, n.Checked = a.Meta, v.Now()
	n.Stir(0)
}

// askable reports whether the remote has to be asked before a node is shown.
func (v *View) askable(n *tree.Node) bool {
	lately := n.Known != tree.Unknown && v.lists.Current(n.Checked, v.Now()) &&
		!(len(v.writing) > 0 && v.written(n.RemotePath()))
	if lately && !(v.exact && n.Content() == tree.Owned) {
		return false
	}
	return v.askableIf(n, v.opt.Revalidate)
}

// askableIf is askable with another revalidation interval.
func (v *View) askableIf(n *tree.Node, revalidate time.Duration) bool {
	switch {
	case n.IsRoot() || n.Differs() && !n.TakenBack() || !n.HasBase() || n.Content() == tree.Edited:
		return false
	case n.Kind == tree.File && n.Content() == tree.Remote, n.Kind == tree.Link:
		return true
	case n.Kind == tree.File && n.Known == tree.Unknown:
		return true // a change of unknown outcome
	case n.Kind == tree.Dir:
		// A directory that exists locally is answered from here. Any other is the remote's.
		if _, err := v.local.Lstat(n.Path()); err != nil {
			return true
		}
		switch n.Known {
		case tree.Unknown:
			return false
		case tree.Absent: // kept for the local changes in it
			return !differsBelow(n)
		}
	}
	return due(revalidate, n.Checked, v.Now())
}

// differsBelow reports whether anything in a directory is queued or edited.
func differsBelow(dir *tree.Node) (differs bool) {
	see := func(n *tree.Node) { differs = differs || stays(n) || differsBelow(n) }
	dir.Kids(see)
	dir.HiddenKids(see)
	return differs
}

// Learn records a definite answer about the base of a node without local changes. If a late request of this client may
// have caused the answer, Learn leaves it to the next push.
func (v *View) Learn(n *tree.Node, a remote.Answer) {
	switch {
	case n.Local() && v.tree.Explains(n, a.Known, a.Meta):
		return
	case a.Known == tree.Absent && n.TakenBack(): // the removal was made, and may be made once more
		v.tree.Doubt(n, *n.Diff.Intent, v.Now())
		v.tree.Note(n, v.Now()).Intent = nil
		v.vanish(n)
		return
	case a.Known == tree.Absent || a.Kind != n.Kind:
		v.vanish(n)
		return
	case n.Kind == tree.File && n.Content() == tree.Owned && !n.Copy().Stale:
		v.learnVersion(n, a)
		return
	}
	v.tree.Edit(n)
	n.Known, n.Meta, n.Checked = tree.Exists, a.Meta, cmp.Or(a.At, v.Now())
	n.SetTarget(a.Target)
	n.Stir(0)
}

// learnVersion compares the version of a copy with the remote's.
func (v *View) learnVersion(n *tree.Node, a remote.Answer) {
	meta := a.Meta
	v.tree.Edit(n)
	n.Known, n.Checked = tree.Exists, cmp.Or(a.At, v.Now())
	if !n.Meta.SameVersion(meta) || outrun(n, n.Checked) {
		v.tree.MarkStale(n)
	}
	if n.Meta != meta {
		n.Meta = meta
		v.tree.Touch(n)
	}
}

// outrun reports whether a copy was fetched in the second of its mtime, and that second is over now, so that the
// content may have changed. It trusts the local clock: a wrong clock only fetches the copy again earlier or later.
func outrun(n *tree.Node, now int64) bool {
	return n.Copy().Unsure && remoteclock.Unsure(n.Meta.MTime, n.Copy().Fetched) && !remoteclock.Unsure(n.Meta.MTime, now)
}

// vanish forgets a node that is gone on the remote, and deletes its copies. Local changes stay, and so do local bytes that
// are not the recorded copy.
func (v *View) vanish(n *tree.Node) {
	var kids []*tree.Node
	n.Kids(func(k *tree.Node) { kids = append(kids, k) })
	for _, k := range kids {
		if k.Kind == tree.Dir || !stays(k) {
			v.vanish(k)
		}
	}
	var hidden []*tree.Node
	n.HiddenKids(func(k *tree.Node) { hidden = append(hidden, k) })
	for _, k := range hidden {
		if !k.InView() {
			v.tree.Erased(k, v.Now())
		}
	}
	left := false // a copy that could not be deleted
	n.Kids(func(k *tree.Node) { left = left || k.Known == tree.Exists && !stays(k) })
	switch {
	case left: // the next lookup tries again
	case n.Kind == tree.Dir && (n.Differs() || n.HasKids()):
		v.tree.Edit(n).Known = tree.Absent // a push of its entries makes it again
		v.tree.Touch(n)
	case n.Kind == tree.Dir:
		up := n.Parent()
		_ = v.copies.Rmdir(n.Path()) // fails if it has a user's file
		v.tree.Forget(n)
		v.copies.Tidy(up)
	case v.tree.Explains(n, tree.Absent, tree.Meta{}) && v.Restore(n):
	default:
		if err := v.dropCopy(n); err != nil {
			v.opt.Logger.Warn("copy not deleted", "name", n.Path(), "err", err)
			v.tree.MarkStale(n) // a forgotten copy would pass for a user's file
			n.Checked = 0       // revalidate on next use, whatever ListTTL says
			return
		}
		v.ShowRemoved(n)
		v.tree.Forget(n)
	}
}

// stays reports whether a node stays when its directory is gone on the remote.
func stays(n *tree.Node) bool { return n.Differs() || n.Content() == tree.Edited }

// dropCopy deletes the local bytes of a copy if they are the recorded ones. Other bytes become a user's file.
func (v *View) dropCopy(n *tree.Node) error {
	if n.Content() != tree.Owned {
		return nil
	}
	name := n.Path()
	info, err := v.local.Lstat(name)
	if err != nil && !localdir.Missing(err) {
		return err
	}
	prev := n.Copy().Prev()
	if err == nil && (tree.Stamp(info.Stamp) == n.Copy().Stamp || prev != nil && tree.Stamp(info.Stamp) == prev.Stamp) {
		if err := v.copies.Delete(name); err != nil {
			return err
		}
		v.copies.Tidy(n.Parent())
	}
	v.copies.Lost(n)
	return nil
}

// Orphan turns a copy whose original is gone on the remote into a file that is only local.
func (v *View) Orphan(n *tree.Node) {
	v.tree.Change(n, tree.Copy{Stamp: n.Copy().Stamp})
	v.tree.Erased(n, v.Now())
}
