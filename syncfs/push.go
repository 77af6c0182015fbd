package syncfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// maxRounds is how often one Push starts over with what was queued while it ran.
const maxRounds = 8

// Push makes the remote equal to what the program sees, for all that is queued. It returns nil only if nothing is
// left: not queued, not open for writing, not in conflict. Changes that are independent of each other are made several
// at a time, and one that fails does not stop the others; a remote that gives no answer stops it soon. What failed
// stays queued.
//
// With nothing queued it does not use the remote. Concurrent calls run one after the other.
//
// The error joins those of the results. It matches ErrConflict if the remote has another version than a change was
// made to, ErrBusy if a file is open for writing or changed meanwhile, ErrUnavailable if the remote gave no answer
// (then what became of the step that was under way is found out by the next Push), and the context's error if that
// ended.
func (s *Fs) Push(ctx context.Context) (Report, error) {
	s = s.with(ctx)
	done, err := s.alone(ctx)
	if err != nil {
		return Report{}, err
	}
	defer done()
	var total Report
	for range maxRounds {
		if err := s.resolveIntents(); err != nil {
			return total, fmt.Errorf("push: %w", err)
		}
		r, err := s.round()
		for _, result := range r.Results {
			total.add(result)
		}
		if err != nil || len(r.Results) == 0 {
			return total, err
		}
	}
	return total, fmt.Errorf("push: %w: files are being changed all the time", ErrBusy)
}

// alone waits until no other Push or Discard runs.
func (s *Fs) alone(ctx context.Context) (done func(), err error) {
	select {
	case s.pushing <- struct{}{}:
		return func() { <-s.pushing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// round pushes what is queued now.
func (s *Fs) round() (Report, error) {
	r := runner{s: s}
	err := s.m.Do(func(v *mirror.View) error {
		r.steps = v.Tree().Plan(s.parking)
		r.changes = make([]Change, len(r.steps))
		for i, step := range r.steps {
			r.changes[i] = changeOf(v, step)
		}
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	r.run()
	return r.report, r.report.err()
}

// parking names a node's place aside on the remote.
func (s *shared) parking(n *tree.Node) string { return s.tempName(n, ".park") }

// runner makes the steps of a plan, each when those it depends on are done.
type runner struct {
	s       *Fs
	steps   []tree.Step
	changes []Change
	report  Report

	waits      []int   // by step: dependencies not done yet
	dependents [][]int // by step: those that depend on it
	errs       []error // by step: why it was not done
	settled    []bool
	late       []int
	ready      []int
	ended      chan outcome
	stop       error // why no more steps are started
}

type outcome struct {
	step   int
	result Result
}

func (r *runner) run() {
	n := len(r.steps)
	r.waits, r.dependents = make([]int, n), make([][]int, n)
	r.errs, r.settled = make([]error, n), make([]bool, n)
	r.ended = make(chan outcome)
	for i, step := range r.steps {
		r.waits[i] = len(step.Deps)
		for _, d := range step.Deps {
			r.dependents[d] = append(r.dependents[d], i)
		}
		switch {
		case step.Late:
			r.late = append(r.late, i)
		case len(step.Deps) == 0:
			r.ready = append(r.ready, i)
		}
	}
	r.loop()
	// The last step made in a directory is the first whose attributes may be set: the innermost first.
	for len(r.late) > 0 {
		i := r.late[len(r.late)-1]
		r.late = r.late[:len(r.late)-1]
		if !r.settled[i] {
			r.ready = append(r.ready, i)
			r.loop()
		}
	}
}

// loop runs steps until none is ready.
func (r *runner) loop() {
	running := 0
	for {
		for len(r.ready) > 0 && running < r.s.m.Options().Parallel {
			i := r.ready[0]
			r.ready = r.ready[1:]
			if r.stop != nil {
				r.end(i, Result{Change: r.changes[i], Err: r.stop})
				continue
			}
			running++
			go func() { r.ended <- outcome{i, r.attempt(i)} }()
		}
		if running == 0 {
			return
		}
		o := <-r.ended
		running--
		r.end(o.step, o.result)
	}
}

// end notes how a step ended, and what follows for those that depend on it.
func (r *runner) end(i int, result Result) {
	if r.settled[i] {
		return
	}
	r.settled[i], r.errs[i] = true, result.Err
	if err := result.Err; err != nil && r.stop == nil && fatal(err) {
		r.stop = err
	}
	if !r.steps[i].Aux || result.Err != nil {
		r.report.add(result)
	}
	for _, d := range r.dependents[i] {
		if result.Err != nil {
			err := fmt.Errorf("%v: not done before: %w", r.changes[d], result.Err)
			r.end(d, Result{Change: r.changes[d], Err: err})
			continue
		}
		if r.waits[d]--; r.waits[d] == 0 && !r.steps[d].Late {
			r.ready = append(r.ready, d)
		}
	}
}

// fatal says whether an error means that other steps will fail as well.
func fatal(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fs.ErrClosed)
}

// attempt makes one step, and records how that went.
func (r *runner) attempt(i int) Result {
	step, change := r.steps[i], r.changes[i]
	start := r.s.now()
	change.Attempts++
	result := Result{Change: change}
	if err := r.s.do(step, &result); err != nil {
		result.Err = named(change, err)
		r.s.failed(step.Node, result.Err)
	}
	result.Duration = r.s.since(start)
	return result
}

func named(c Change, err error) error {
	if c.Op == Rename {
		return mirror.LinkError("push "+c.Op.String(), c.Name, c.NewName, err)
	}
	return mirror.PathError("push "+c.Op.String(), c.Name, err)
}

// failed records a failed attempt.
func (s *Fs) failed(n *tree.Node, err error) {
	saveErr := s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) == n && n.Diff != nil {
			d := v.Tree().Note(n, v.Now())
			d.Attempts++
			noteError(d, err)
			v.Tree().Touch(n)
		}
		return nil
	})
	if saveErr != nil {
		s.logger.Warn("failed attempt not recorded", "err", saveErr)
	}
}

// do makes one step, and says in the result what it came to.
func (s *Fs) do(step tree.Step, result *Result) error {
	err := s.try(step, result)
	if errors.Is(err, fs.ErrNotExist) && step.To.Dir != nil {
		if err = s.ensureParent(step); err == nil {
			err = s.try(step, result)
		}
	}
	return err
}

func (s *Fs) try(step tree.Step, result *Result) error {
	switch step.Op {
	case tree.Put:
		return s.put(step, result)
	case tree.Mkdir:
		return s.mkdirRemote(step)
	case tree.Symlink:
		return s.symlinkRemote(step)
	case tree.Rename:
		return s.renameRemote(step)
	case tree.Remove:
		return s.removeRemote(step)
	default:
		return s.setAttrRemote(step)
	}
}
