package syncfs

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// resolveIntents finds out what became of the steps whose outcome is in doubt: their process died, or the connection
// was lost. It returns those of which the remote refuses to tell. A change of the program may give an intent that is being
// resolved to another node, which is looked at in its turn.
func (p *pusher) resolveIntents() (unresolved map[*tree.Intent]error, err error) {
	unresolved = map[*tree.Intent]error{}
	for {
		intents := map[*tree.Node]*tree.Intent{}
		err = p.s.m.Do(func(v *mirror.View) error {
			clear(intents)
			v.Tree().Intents(func(n *tree.Node) {
				if unresolved[n.Diff.Intent] == nil {
					intents[n] = n.Diff.Intent
				}
			})
			return nil
		})
		if err != nil || len(intents) == 0 {
			return unresolved, err
		}
		for n, i := range intents {
			made, err := p.s.resolve(n, i)
			switch {
			case errors.Is(err, errCannotLook):
				unresolved[i] = err
			case err != nil:
				return unresolved, err
			case !made:
				maps.DeleteFunc(p.unknown, func(step attempted, _ Result) bool { return step.node == n.ID })
			}
		}
	}
}

// awaitAbandoned waits until the remote has answered the calls that ended with their context, because these may take
// effect after a look. A call that takes too long is left to a guard.
func (s *Fs) awaitAbandoned() error { return s.m.Remote().Settle(s.m.Context()) }

// fate is what became of a step.
type fate uint8

const (
	undone    fate = iota // it was not made, and may be repeated
	done                  // it was made
	undecided             // it may have been made and then undone by another client: never to be repeated
	begun                 // the remote has a part of a delivery
)

// resolve decides what became of one intent, by looking at the names that it leads from and to. It reports whether the
// step counts as made. That includes the removal of what is gone: patrol decides what to record of it.
func (s *Fs) resolve(n *tree.Node, i *tree.Intent) (made bool, err error) {
	if i.Kind == tree.Deliver {
		return s.resolveDelivery(n, i)
	}
	at, err := s.lookUntilClear(n, i)
	if err != nil {
		return false, err
	}
	back := at.aside.Known == tree.Exists && at.to.Known == tree.Absent
	if back {
		if err = s.putBack(i); err == nil {
			at, err = s.look(i)
		}
	}
	var f fate
	if err == nil {
		err = s.m.Do(func(v *mirror.View) error {
			f = decide(i, n, at, v.Tree().Brings(i.From))
			return nil
		})
	}
	switch {
	case err == nil && f == undecided && back: // what is there is what was there before
		f = undone
	case err == nil && f == done && at.aside.Known == tree.Exists:
		err = s.removeAside(i)
	}
	if err != nil {
		return false, err
	}
	if i.Kind == tree.Make && f == done {
		if at.to = s.resolveMode(i, at.to); at.to.Known != tree.Exists {
			return false, at.to.Err
		}
	}
	err = s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) == n && n.Diff != nil && n.Diff.Intent == i {
			guard(v, n, i, f)
			made = settle(v, n, i, f, at.to.Meta) || i.Kind == tree.Erase && at.from.Known == tree.Absent
		}
		return nil
	})
	return made, err
}

// sighting is what the remote has at the names that a step leads from and to, and at the name where it moves a replaced
// file aside.
type sighting struct {
	from, to, aside remote.Answer
	renewed         bool // to has the content that the step renames, with another time
}

// look asks the remote about the names of a step. It returns an error if the remote does not answer.
func (s *Fs) look(i *tree.Intent) (at sighting, err error) {
	ask := func(name string) remote.Answer {
		if name == "" || err != nil {
			return remote.Answer{Known: tree.Absent}
		}
		a := s.m.Remote().Ask(name)
		if err = a.Err; a.Known != tree.Unknown {
			err = nil
		} else if refused(err) {
			err = fmt.Errorf("%w: %w", errCannotLook, err)
		}
		return a
	}
	at.from, at.to, at.aside = ask(i.From), ask(i.To), ask(i.Aside)
	return at, err
}

const (
	// clearLooks bounds the looks at a rename that shows under both names or neither, before that is accepted as the
	// remote's state.
	clearLooks = 5
	// firstLookPause is the pause before the second look; it doubles each time.
	firstLookPause = 50 * time.Millisecond
)

// lookUntilClear looks at the names of a step. A rename that is being executed may show both names or neither. That is
// no state to decide on, so lookUntilClear looks again. If it lasts, another client has made one of the names.
func (s *Fs) lookUntilClear(n *tree.Node, i *tree.Intent) (at sighting, err error) {
	for looks := 0; looks < clearLooks; looks++ {
		if looks > 0 {
			if err := wait(s.m.Context(), firstLookPause<<(looks-1)); err != nil {
				return at, err
			}
		}
		if at, err = s.look(i); err == nil {
			at.renewed, err = s.renewed(i, n, at)
		}
		if err != nil || !contradictory(i, n, at) {
			return at, err
		}
	}
	return at, nil
}

// renewed reports whether the remote has a file that a step renames under its new name, with another time: some remotes
// give a renamed file a new one.
func (s *Fs) renewed(i *tree.Intent, n *tree.Node, at sighting) (bool, error) {
	if i.Kind != tree.Publish && !i.Kind.Renames() || n.Kind != tree.File || at.from.Known != tree.Absent ||
		at.to.Known != tree.Exists || at.to.Kind != tree.File || at.to.Meta.Size != i.Meta.Size ||
		at.to.Meta.SameVersion(i.Meta) || s.keepsTimes() {
		return false, nil
	}
	hash, err := &i.Hash, error(nil)
	if i.Kind != tree.Publish {
		hash, err = s.hashOfCopy(n)
	}
	if err != nil || hash == nil {
		return false, err
	}
	theirs, err := s.hashRemote(i.To, at.to.Meta)
	if refused(err) { // then nothing tells
		return false, nil
	}
	return theirs == *hash, err
}

// contradictory reports whether what a rename moves shows under both names or under neither.
func contradictory(i *tree.Intent, n *tree.Node, at sighting) bool {
	return (i.Kind == tree.Publish || i.Kind.Renames()) && (at.from.Known == tree.Exists) == arrived(i, n, at)
}

// arrived reports whether the remote has what a step makes or moves at the name that it leads to. A rename keeps the
// version of a file.
func arrived(i *tree.Intent, n *tree.Node, at sighting) bool {
	switch to := at.to; {
	case to.Known != tree.Exists || to.Kind != n.Kind:
		return false
	case i.Kind == tree.Make:
		return to.Target == n.Target()
	case i.Kind == tree.Reset:
		return hasAttrs(to, i)
	}
	return n.Kind != tree.File || at.renewed || at.to.Meta.SameVersion(i.Meta)
}

// hasAttrs reports whether an entry has the attributes that a step sets. Its owner is not visible.
func hasAttrs(a remote.Answer, i *tree.Intent) bool {
	want := i.Attr
	return (want.Set&tree.AttrMode == 0 || a.Meta.Mode&settable == want.Mode&settable) &&
		(want.Set&tree.AttrTimes == 0 || a.Meta.Size == i.Meta.Size && keeps(want.MTime, a.Meta.MTime))
}

// decide decides what became of a step, from what the remote has now. remade is set if an earlier request may have
// brought something to the name that the step leads from.
func decide(i *tree.Intent, n *tree.Node, at sighting, remade bool) fate {
	switch from, to := at.from, at.to; {
	case i.Kind == tree.Erase && from.Known == tree.Absent && n.InView():
		return done
	case i.Kind == tree.Erase: // even if it is gone: an earlier request may have moved it, see guard.go
		return undone
	case from.Known == tree.Exists && !remade: // Make and Reset lead from nowhere
		return undone
	case arrived(i, n, at):
		return done
	case from.Known == tree.Exists, i.Kind == tree.Reset, i.Kind == tree.Make && to.Known == tree.Exists:
		return undone
	}
	return undecided
}

// keeps reports whether a remote that was given a time and reports another one has kept it: unchanged, or in whole
// seconds.
func keeps(given, got int64) bool {
	return got == given || got == time.Unix(0, given).Truncate(time.Second).UnixNano()
}

// putBack moves back what was moved out of the way of a step.
func (s *Fs) putBack(i *tree.Intent) error {
	return s.aside(i, s.m.Remote().Fs().Rename(s.m.Remote().Name(i.Aside), s.m.Remote().Name(i.To)))
}

// removeAside removes what was moved out of the way of a step that was made.
func (s *Fs) removeAside(i *tree.Intent) error {
	return s.aside(i, s.m.Remote().Fs().Remove(s.m.Remote().Name(i.Aside)))
}

// aside adds the name to the error of a request about what was moved out of the way. If that no longer exists, there is
// no error.
func (s *Fs) aside(i *tree.Intent, err error) error {
	if err = remote.Error(err); err == nil || remote.Absent(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", i.Aside, err)
}

// resolveMode sets the mode of a directory that a step has made: a remote may need two requests for a directory with
// its mode. A refusal does not fail the step.
func (s *Fs) resolveMode(i *tree.Intent, made remote.Answer) remote.Answer {
	if made.Kind != tree.Dir || made.Meta.Mode.Perm() == i.Meta.Mode.Perm() {
		return made
	}
	refusal, err := s.setAttrs(i.To, tree.Attr{Set: tree.AttrMode, Mode: i.Meta.Mode.Perm()}, refused)
	if err = cmp.Or(err, refusal); err != nil {
		s.logger.Warn("attribute refused by the remote", "name", i.To, "err", err)
	}
	return s.m.Remote().Ask(i.To)
}

// below reports whether dir is n, or is below n on the remote. Then n can't have been moved there.
func below(dir, n *tree.Node) bool {
	return n.HasBase() && tree.Within(dir.RemotePath(), n.RemotePath())
}

// settle records what became of a step; now is what the remote has at the name that it leads to. It reports whether it has
// recorded the step as made.
func settle(v *mirror.View, n *tree.Node, i *tree.Intent, f fate, now tree.Meta) bool {
	v.RemoteChanged() // at an unknown time
	t := v.Tree()
	dir := t.Dir(i.Dir)
	switch {
	case i.Kind == tree.Erase && f == done: // the program has the node in its view again: show what the remote has
		clearIntent(v, n)
		if !n.Differs() {
			v.Learn(n, remote.Answer{Known: tree.Absent})
		}
		return true
	case f == undone, i.Kind == tree.Erase:
		clearIntent(v, n)
		return false
	case i.Kind == tree.Reset: // the attributes are sent again
		v.Tree().Note(n, v.Now()).Intent = nil
		n.Checked = v.Now()
		v.Tree().Reattributed(n, i.Meta, now)
		return true
	case dir == nil || !dir.HasBase() || below(dir, n):
		clearIntent(v, n)
		return false
	}
	_, name := tree.Split(i.To)
	step := tree.Step{Node: n, To: tree.Slot{Dir: dir, Name: name}}
	if r := dir.OnRemote(name); r != n {
		step.Replaces = r
	}
	if i.Kind == tree.Park {
		step.Op, step.Aux = tree.Rename, true
	}
	switch {
	case i.Kind == tree.Deliver && f == begun: // the next delivery replaces it
		reached(v, step, now)
		queueAttrs(v, n, deliveredAttrs(i, now), now)
		return false
	case i.Kind == tree.Deliver && f == undecided:
		reached(v, step, tree.Meta{Mode: n.Shown().Mode, Size: i.Stamp.Size, MTime: i.Stamp.MTime})
		return false
	case i.Kind == tree.Publish, i.Kind == tree.Deliver:
	case f == undecided && !t.Takes(i.To): // a rename whose source is gone: the base check makes that a conflict
		clearIntent(v, n)
		return false
	case i.Kind == tree.Make && f == done:
		reached(v, step, now)
		return true
	case i.Kind == tree.Make: // as below; what it made has the mode that the node has
		reached(v, step, n.Meta)
		return true
	case f == done:
		reached(v, step, now)
		if now.MTime != i.Meta.MTime {
			t.MarkUnsure(n)
		}
		return true
	default: // it may have been made, and undone by an earlier request: patrol looks for it
		reached(v, step, i.Meta)
		return true
	}
	// An undecided publication may have been made and undone: with its version as the base, whatever is there now is a
	// conflict.
	if f == undecided {
		reached(v, step, i.Meta)
		swept(v, i)
		return true
	}
	// The attributes may have been set again since: they are sent again.
	published(v, step, i, now, n.Copy(), tree.Attr{})
	if i.Kind == tree.Deliver {
		queueAttrs(v, n, deliveredAttrs(i, now), now)
	}
	return true
}
