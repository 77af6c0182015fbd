package syncfs

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// resolveIntents finds out what became of steps that were sent and whose outcome is not known: by a process that died,
// or over a connection that was lost.
func (s *Fs) resolveIntents() error {
	intents := map[*tree.Node]*tree.Intent{}
	err := s.m.Do(func(v *mirror.View) error {
		v.Tree().Intents(func(n *tree.Node) { intents[n] = n.Diff.Intent })
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
	ask := func(name string) mirror.Answer {
		if name == "" {
			return mirror.Answer{Known: tree.Absent}
		}
		return s.m.Ask(name)
	}
	from, to, aside := ask(i.From), ask(i.To), ask(i.Aside)
	for _, a := range []mirror.Answer{from, to, aside} {
		if a.Known == tree.Unknown {
			return a.Err
		}
	}
	f := decide(i, n, from, to)
	if aside.Known == tree.Exists {
		if err := s.resolveAside(i, to, f); err != nil {
			return err
		}
	}
	if i.Kind == tree.Make && f == done {
		if to = s.resolveMode(i, to); to.Known != tree.Exists {
			return to.Err
		}
	}
	return s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) == n && n.Diff != nil && n.Diff.Intent == i {
			settle(v, n, i, f, to.Meta)
		}
		return nil
	})
}

// decide says what became of a step, from what the remote has now. A rename keeps the version of what it renames.
func decide(i *tree.Intent, n *tree.Node, from, to mirror.Answer) fate {
	arrived := to.Known == tree.Exists && to.Kind == n.Kind
	switch {
	case i.Kind == tree.Make && arrived && to.Target == n.Target(),
		i.Kind == tree.Retime && arrived && to.Meta.Size == i.Meta.Size && keeps(i.Meta.MTime, to.Meta.MTime):
		return done
	case i.Kind == tree.Make, i.Kind == tree.Retime:
		return undone
	}
	arrived = arrived && (n.Kind != tree.File || to.Meta.SameVersion(i.Meta))
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

// keeps says whether a remote that was given a time says it has got: as it is, or in whole seconds.
func keeps(given, got int64) bool {
	return got == given || got == time.Unix(0, given).Truncate(time.Second).UnixNano()
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

// resolveMode gives a directory that was made the mode that it was made with: a remote may need two requests for that.
// One that refuses does not fail the step.
func (s *Fs) resolveMode(i *tree.Intent, made mirror.Answer) mirror.Answer {
	if made.Kind != tree.Dir || made.Meta.Mode.Perm() == i.Meta.Mode.Perm() {
		return made
	}
	if err := s.setAttrs(i.To, tree.Attr{Set: tree.AttrMode, Mode: i.Meta.Mode.Perm()}); err != nil {
		s.logger.Warn("attribute refused by the remote", "name", i.To, "err", err)
	}
	return s.m.Ask(i.To)
}

// settle records the fate of a step; now is what the remote has where it leads to.
func settle(v *mirror.View, n *tree.Node, i *tree.Intent, f fate, now tree.Meta) {
	t := v.Tree()
	dir := t.Node(i.Dir)
	switch {
	case i.Kind == tree.Erase && f == done && !n.InView():
		t.Erased(n, v.Now())
		return
	case i.Kind == tree.Erase && f == done: // taken back meanwhile, to be as the remote has it
		clearIntent(v, n)
		if !n.Differs() {
			v.LearnVersion(n, mirror.Answer{Known: tree.Absent})
		}
		return
	case f == undone, i.Kind == tree.Erase:
		clearIntent(v, n)
		return
	case i.Kind == tree.Retime: // the attributes stay to be sent
		v.RemoteChanged()
		v.Tree().Note(n, v.Now()).Intent = nil
		n.Meta, n.Checked = now, v.Now()
		v.Tree().Touch(n)
		return
	case dir == nil || !dir.HasBase():
		clearIntent(v, n)
		return
	}
	_, name := tree.Split(i.To)
	step := tree.Step{Node: n, To: tree.Slot{Dir: dir, Name: name}}
	if r := dir.OnRemote(name); r != n {
		step.Replaces = r
	}
	if i.Kind == tree.Make {
		reached(v, step, now)
		return
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
	if f == undecided {
		reached(v, step, i.Meta)
		swept(v, i)
		return
	}
	// Attributes that are set may have been set since: they are sent again.
	published(v, step, i, n.Copy, tree.Attr{})
}
