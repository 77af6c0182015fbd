package syncfs

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// resolveIntents finds out what became of steps that were sent and whose outcome is not known: by a process that died,
// or over a connection that was lost.
func (s *Fs) resolveIntents() error {
	intents := map[*tree.Node]*tree.Intent{}
	err := s.m.Do(func(v *mirror.View) error {
		v.Tree().Pending(func(n *tree.Node) {
			if n.Diff != nil && n.Diff.Intent != nil {
				intents[n] = n.Diff.Intent
			}
		})
		return nil
	})
	for n, i := range intents {
		if err == nil {
			err = s.resolve(n, i)
		}
	}
	return err
}

// fate is what became of a step.
type fate uint8

const (
	undone    fate = iota // it was not made, and may be
	done                  // it was made
	undecided             // it was made and undone by others, or can't be told from that: never to be repeated
)

// resolve decides about one intent by looking at where it came from and where it went.
func (s *Fs) resolve(n *tree.Node, i *tree.Intent) error {
	from, to, aside := s.m.Ask(i.From), mirror.Answer{Known: tree.Absent}, mirror.Answer{Known: tree.Absent}
	if i.Kind != tree.Erase {
		to = s.m.Ask(i.To)
	}
	if i.Aside != "" {
		aside = s.m.Ask(i.Aside)
	}
	for _, a := range []mirror.Answer{from, to, aside} {
		if a.Known == tree.Unknown {
			return a.Err
		}
	}
	f := decide(i, n.Kind, from, to)
	if aside.Known == tree.Exists {
		if err := s.resolveAside(i, to, f); err != nil {
			return err
		}
	}
	return s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) == n && n.Diff != nil && n.Diff.Intent == i {
			settle(v, n, i, f)
		}
		return nil
	})
}

// decide says what became of a step, from what the remote has now. A rename keeps the version of what it renames.
func decide(i *tree.Intent, kind tree.Kind, from, to mirror.Answer) fate {
	arrived := to.Known == tree.Exists && to.Kind == kind && (kind != tree.File || to.Meta.SameVersion(i.Meta))
	switch {
	case i.Kind == tree.Erase && from.Known == tree.Absent:
		return done
	case i.Kind == tree.Erase, from.Known == tree.Exists:
		return undone
	case arrived:
		return done
	}
	return undecided
}

// resolveAside puts back what was moved out of the way of a step that was not made, or removes it after one that was.
func (s *Fs) resolveAside(i *tree.Intent, to mirror.Answer, f fate) error {
	remote, name := s.m.RemoteFs(), s.m.RemoteName(i.Aside)
	var err error
	switch {
	case to.Known == tree.Absent:
		err = mirror.Remote(remote.Rename(name, s.m.RemoteName(i.To)))
	case f == done:
		err = mirror.Remote(remote.Remove(name))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", i.Aside, err)
	}
	return nil
}

// settle records the fate of a step.
func settle(v *mirror.View, n *tree.Node, i *tree.Intent, f fate) {
	t := v.Tree()
	dir := t.Node(i.Dir)
	switch {
	case i.Kind == tree.Erase && f == done:
		t.Erased(n, v.Now())
		return
	case f == undone, i.Kind == tree.Erase, dir == nil || !dir.HasBase():
		clearIntent(v, n)
		return
	}
	_, name := tree.Split(i.To)
	step := tree.Step{Node: n, To: tree.Slot{Dir: dir, Name: name}}
	if r := dir.OnRemote(name); r != n {
		step.Replaces = r
	}
	if i.Kind == tree.Move {
		if f == done {
			reached(v, step, i.Meta)
		} else {
			clearIntent(v, n) // its source is gone: the base check makes that a conflict
		}
		return
	}
	// A publication that is undecided may have been made and undone: with its version as the base, whatever is
	// there now is a conflict.
	attr := n.Diff.Attr
	if f == undecided {
		reached(v, step, i.Meta)
		return
	}
	published(v, step, i, v.Generation(n), attr)
}
