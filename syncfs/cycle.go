package syncfs

import (
	"errors"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// cycle holds steps of a round that are made together or not at all, because something is aside in between. All their
// bases are checked before the first step is made.
type cycle struct {
	steps   []int
	waiting []int // steps that are ready while the bases are being checked
	checked bool
}

// cyclesOf returns the cycles of a plan, by number.
func cyclesOf(steps []tree.Step) map[int]*cycle {
	cycles := map[int]*cycle{}
	for i, step := range steps {
		if step.Cycle == 0 {
			continue
		}
		c := cycles[step.Cycle]
		if c == nil {
			c = &cycle{}
			cycles[step.Cycle] = c
		}
		c.steps = append(c.steps, i)
	}
	return cycles
}

// failure is the error of a step that has failed, or would fail.
type failure struct {
	step int
	err  error
}

// check returns the steps of a cycle that would fail, given the remote as it is before the first step. It skips the
// steps that move something aside, because another step moves the same node to its place.
func (r *round) check(c *cycle) (failed []failure) {
	var views []foresight
	var steps []int
	err := r.s.m.Do(func(v *mirror.View) error {
		views, steps = nil, nil
		for _, i := range c.steps {
			if !r.steps[i].Parks() {
				views, steps = append(views, foresee(v, r.steps[i])), append(steps, i)
			}
		}
		return nil
	})
	if err != nil {
		return []failure{{c.steps[0], err}}
	}
	r.s.m.Limits().Each(len(views), func(i int) { views[i].look(r.s) })
	for k := range views {
		result := Result{Change: r.changes[steps[k]]}
		if err := r.s.foreseen(&views[k], &result); err != nil {
			failed = append(failed, failure{steps[k], err})
		}
	}
	return failed
}

// foreseen returns the error with which a step would fail, as far as that is known before the steps that it depends on.
func (s *Fs) foreseen(f *foresight, r *Result) error {
	if f.err != nil {
		return f.err
	}
	switch step := f.step; step.Op {
	case tree.Remove:
		if step.Aux { // it is a temporary file
			return nil
		}
		err := s.agree(step, r, f.source, f.from, f.sourceNow, true)
		if err == nil && step.Node.Kind == tree.Dir && f.sourceNow.Known == tree.Exists {
			err = s.empty(step.Node, f.source, false)
		}
		return err
	case tree.Rename:
		if err := s.agree(step, r, f.source, f.from, f.sourceNow, false); err != nil {
			return err
		}
		if f.sourceNow.Known == tree.Absent && (f.from.known == tree.Exists || f.from.kind != tree.Dir) {
			return conflict("it was removed there")
		}
		return s.agree(step, r, f.target, f.to, f.targetNow, false)
	case tree.Mkdir, tree.Symlink:
		if err := f.decide(s.conflict).Err; errors.Is(err, ErrConflict) {
			return err
		}
	}
	return nil
}

// blocked is the error of a step that depends on another one, which has failed.
type blocked struct{ cause error }

func (b *blocked) Error() string { return "not done before: " + b.cause.Error() }

func (b *blocked) Unwrap() error { return b.cause }

// notBefore returns the error of a step that depends on one that ended with err. If that was blocked itself, the cause is
// the same.
func notBefore(err error) error {
	var before *blocked
	if errors.As(err, &before) {
		return before
	}
	return &blocked{err}
}

// fail ends the steps of a cycle that have not begun, because one of its steps has failed.
func (r *round) fail(p *pusher, step int, err error) {
	if c := r.cycles[r.steps[step].Cycle]; c != nil {
		for _, i := range c.steps {
			if !r.begun[i] {
				r.end(p, i, Result{Change: r.changes[i], Err: notBefore(err)})
			}
		}
	}
}

// sendHome moves back what is aside because a cycle was not completed.
func (r *round) sendHome() {
	for i := len(r.steps) - 1; i >= 0 && r.stop == nil; i-- {
		if step := r.steps[i]; step.Cycle != 0 && !step.Parks() {
			if err := r.s.sendHome(step.Node); err != nil {
				r.s.logger.Warn("left aside on the remote", "name", r.changes[i].Name, "err", err)
			}
		}
	}
}
