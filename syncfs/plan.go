package syncfs

import (
	"context"
	"errors"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Action is what Push would do about a change.
type Action string

// The actions.
const (
	ActionCreate   Action = "create"   // create what the remote does not have
	ActionReplace  Action = "replace"  // replace a file
	ActionRename   Action = "rename"   // rename, without a transfer
	ActionRemove   Action = "remove"   // remove
	ActionSetAttr  Action = "setattr"  // change mode, owner or times
	ActionConflict Action = "conflict" // the remote has another version than the base
	ActionSkip     Action = "skip"     // nothing: it is done already, or cannot be done now (Err says why)
)

// Planned is a change, and what Push would do about it.
type Planned struct {
	Change
	Action Action
	Err    error // the reason of a conflict or skip
}

// Plan is what a Push would do now.
type Plan struct {
	Steps []Planned // in the order of Push
	Bytes int64     // to upload
}

// Plan asks the remote about each queued change and returns what Push would do. It changes nothing. It does not call
// Options.Resolve, and applies Options.Conflict instead. It does not compare contents: Push may find that the contents in a
// conflict are equal, or that they differ although size and modification time are the same.
//
// The error matches ErrUnavailable if the remote does not answer.
func (s *Fs) Plan(ctx context.Context) (Plan, error) {
	s = s.with(ctx)
	end, err := s.m.Begin()
	if err != nil {
		return Plan{}, err
	}
	defer end()
	var views []foresight
	err = s.m.Do(func(v *mirror.View) error {
		views = nil
		for _, step := range s.plan(v) {
			if !step.Aux {
				views = append(views, foresee(v, step))
			}
		}
		return nil
	})
	if err != nil || len(views) == 0 {
		return Plan{}, err
	}
	s.m.Limits().Each(len(views), func(i int) { views[i].look(s) })
	var plan Plan
	var bytes tree.Sum
	for _, f := range views {
		if f.err != nil {
			return Plan{}, f.err
		}
		p := f.decide(s.conflict)
		if p.Action == ActionCreate || p.Action == ActionReplace {
			bytes.Add(p.Size)
		}
		plan.Steps = append(plan.Steps, p)
	}
	plan.Bytes = bytes.Int64()
	return plan, nil
}

// foresight is what has to be known to predict a step.
type foresight struct {
	change         Change
	step           tree.Step
	source, target string // paths to look at on the remote now; "" if nothing is there
	from, to       base
	leadsTo        string // the target of a symbolic link that is made
	busy           error

	sourceNow, targetNow remote.Answer
	followed             remote.Answer // targetNow of a Mkdir, with symbolic links followed
	err                  error
}

// foresee finds the paths on the remote that a step concerns, as they are before the earlier steps are made.
func foresee(v *mirror.View, step tree.Step) foresight {
	f := foresight{change: changeOf(v, step), step: step, to: targetBase(v, step)}
	n := step.Node
	switch step.Op {
	case tree.Rename, tree.Remove, tree.SetAttr:
		f.source, f.from = n.RemotePath(), baseOf(n)
	}
	switch step.Op {
	case tree.Remove, tree.SetAttr:
		return f
	case tree.Put:
		_, f.busy = sendable(v, step)
	case tree.Symlink:
		f.leadsTo = n.Target()
	}
	r := step.Replaces
	dir, name := n.Base()
	switch {
	case r != nil:
		f.target = r.RemotePath()
	case dir == step.To.Dir && name == step.To.Name:
		f.target = n.RemotePath()
	case step.To.Dir.HasBase() && step.To.Dir.OnRemote(step.To.Name) == nil: // else it is vacated before
		f.target = tree.Join(step.To.Dir.RemotePath(), step.To.Name)
	}
	return f
}

func (f *foresight) look(s *Fs) {
	ask := func(path string) remote.Answer {
		if path == "" || f.err != nil {
			return remote.Answer{Known: tree.Absent}
		}
		a := s.ask(path)
		if a.Known == tree.Unknown && !errors.Is(a.Err, errCannotLook) {
			f.err = a.Err
		}
		return a
	}
	f.sourceNow, f.targetNow = ask(f.source), ask(f.target)
	if f.followed = f.targetNow; f.step.Op == tree.Mkdir && f.followed.Kind == tree.Link {
		if f.followed = s.m.Remote().AskFollowing(f.target); fatal(f.followed.Err) {
			f.err = f.followed.Err
		}
	}
}

// decide returns what Push would do.
func (f *foresight) decide(policy ConflictPolicy) Planned {
	p := Planned{Change: f.change}
	there := f.targetNow.Known == tree.Exists
	switch f.step.Op {
	case tree.Put:
		p.Action, p.Err = ActionCreate, f.to.check(f.targetNow, policy, false)
		if there {
			p.Action = ActionReplace
		}
		if f.busy != nil {
			p.Action, p.Err = ActionSkip, f.busy
		}
	case tree.Mkdir:
		p.Action = ActionCreate
		if there {
			p.Action, p.Err = ActionSkip, directoryThere(f.followed)
		}
	case tree.Symlink:
		p.Action = ActionCreate
		if there && f.targetNow.Kind == tree.Link && f.targetNow.Target == f.leadsTo {
			p.Action = ActionSkip
		} else if there {
			p.Err = conflict("there is a " + kindName(f.targetNow.Kind))
		}
	case tree.Rename:
		p.Action = ActionRename
		if p.Err = f.from.check(f.sourceNow, policy, false); p.Err == nil {
			p.Err = f.to.check(f.targetNow, policy, false)
		}
	case tree.Remove:
		p.Action, p.Err = ActionRemove, f.from.check(f.sourceNow, policy, true)
		if f.sourceNow.Known == tree.Absent {
			p.Action = ActionSkip
		}
	case tree.SetAttr:
		p.Action, p.Err = ActionSetAttr, f.from.check(f.sourceNow, policy, false)
		if p.Err == nil && f.sourceNow.Known == tree.Absent {
			p.Err = conflict("it was removed there")
		}
	}
	if errors.Is(p.Err, ErrConflict) {
		p.Action = ActionConflict
	}
	return p
}
