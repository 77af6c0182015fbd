package syncfs

import (
	"errors"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Each step asks the remote, compares the answer with the base, records what must not run twice, sends the request, and
// records the outcome. Each kind of step has its own file.

// reached records that the remote has the node under the step's name, and returns true. If the program has removed the
// node meanwhile, the next push removes it from the remote. If the directory is gone, another client has removed it
// with the node.
func reached(v *mirror.View, step tree.Step, meta tree.Meta) bool {
	v.RemoteChanged()
	t, n, dir := v.Tree(), step.Node, step.To.Dir
	there := t.Node(dir.ID) == dir && dir.HasBase()
	if r := step.Replaces; r != nil && t.Node(r.ID) == r {
		t.Erased(r, v.Now())
	}
	if t.Node(n.ID) != n {
		if there {
			t.Hide(dir, step.To.Name, n.Kind, tree.Exists, meta, v.Now()).SetTarget(n.Target())
		}
		return false
	}
	var home *tree.Home
	if there && step.Parks() && n.HasBase() { // else it is new, and made aside
		home = homeOf(n)
	}
	if t.Edit(n); n.Diff != nil {
		n.Diff.Intent, n.Diff.Part, n.Diff.Base, n.Diff.Explicit, n.Diff.Home = nil, nil, nil, false, home
	}
	if !there {
		t.Erased(n, v.Now())
		return false
	}
	t.Rebase(n, dir, step.To.Name)
	n.Meta, n.Checked = meta, v.Now()
	t.Touch(n)
	return true
}

// outdateCopy marks the copy of a node stale if its step is made in spite of a conflict: the remote's file is not the
// copy.
func (s *Fs) outdateCopy(n *tree.Node, r *Result) error {
	if r.Conflict == nil {
		return nil
	}
	return s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) == n {
			outdate(v, n)
		}
		return nil
	})
}

// outdate records that the remote has another content than the copy of a node, if it has one.
func outdate(v *mirror.View, n *tree.Node) {
	if (n.Content() == tree.Owned || n.Content() == tree.Edited) && !n.Copy().Stale {
		v.Tree().MarkStale(n)
	}
}

// compareClocks learns the time of the server from the directory in which a step has just changed something. It costs a
// round trip. It does so only if a content had to be compared because the time was unknown.
func (s *Fs) compareClocks(path string, r *Result) {
	if !r.unsure || s.m.Clock().Compared() {
		return
	}
	dir, _ := tree.Split(path)
	if a := s.m.Remote().AskFollowing(dir); a.Known == tree.Exists {
		s.m.Clock().Compare(a.Meta.MTime)
	}
}

// holds answers a question about the view. After Close the answer is no, and the next call fails.
func (s *Fs) holds(question func(*mirror.View) bool) (yes bool) {
	_ = s.m.Do(func(v *mirror.View) error {
		yes = question(v)
		return nil
	})
	return yes
}

// intend records, durably, a step that must not run twice.
func (s *Fs) intend(n *tree.Node, intent *tree.Intent) error {
	err := s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) != n {
			return ErrBusy // removed meanwhile
		}
		d := v.Tree().Note(n, v.Now())
		d.Intent = intent
		if intent.Kind == tree.Publish && d.Part != nil { // if it is not published, it need not be sent again
			d.Part = &tree.Part{Temp: d.Part.Temp, Stamp: intent.Stamp, Sent: intent.Stamp.Size, Hash: intent.Hash}
		}
		v.Tree().Touch(n)
		return nil
	})
	if err == nil {
		err = s.m.SyncLog()
	}
	return err
}

// intends reports whether a node has, or may have, an intent whose outcome is in doubt: a log that has failed may hold
// records that it did not acknowledge. The names of such an intent must not be touched.
func (s *Fs) intends(n *tree.Node) (yes bool) {
	err := s.m.Do(func(*mirror.View) error {
		yes = n.Diff != nil && n.Diff.Intent != nil
		return nil
	})
	return yes || err != nil || s.m.SyncLog() != nil
}

// retract removes an intent after an error by which the remote said that it did not execute the step. After any other
// error the outcome is in doubt, and the intent stays until it is resolved.
func (s *Fs) retract(n *tree.Node, err error) error {
	if outcomeUnknown(err) {
		return err
	}
	return errors.Join(err, s.withdraw(n))
}

// withdraw removes the intent of a step that was not made.
func (s *Fs) withdraw(n *tree.Node) error {
	return s.m.Do(func(v *mirror.View) error {
		clearIntent(v, n)
		return nil
	})
}

// outcomeUnknown reports whether a step that ended with an error may have been executed all the same.
func outcomeUnknown(err error) bool {
	return fatal(err) || errors.Is(err, syscall.EIO) || errors.Is(err, errLeftAside)
}

// clearIntent records that a step was not made. It forgets a node that was kept only because the remote might have it.
func clearIntent(v *mirror.View, n *tree.Node) {
	if v.Tree().Node(n.ID) != n || n.Diff == nil || n.Diff.Intent == nil {
		return
	}
	kind := n.Diff.Intent.Kind
	v.Tree().Note(n, v.Now()).Intent = nil
	v.Tree().Touch(n)
	if !n.InView() && n.Known == tree.Unknown && (kind == tree.Publish || kind == tree.Make || kind == tree.Deliver) {
		v.Tree().Erased(n, v.Now())
	}
}
