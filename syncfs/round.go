package syncfs

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// round pushes what is queued now.
type round struct {
	s       *Fs
	steps   []tree.Step
	changes []Change
	unknown map[int]error // by step: why nobody knows what became of an earlier step of its nodes

	failed   []Result
	advanced bool // the remote has changed, or has more content

	waits      []int   // by step: dependencies not done yet
	dependents [][]int // by step: steps that depend on it
	begun      []bool  // by step: it is running, or has ended
	settled    []bool  // by step
	cycles     map[int]*cycle
	late       []int
	ready      []int
	first      int // with Options.Ordered, the first step that has not begun
	ended      chan outcome
	stop       error // why no more steps are started
}

type outcome struct {
	checked *cycle // not nil: the check of its bases has ended
	failed  []failure
	step    int
	weight  int64
	result  Result
}

// round finds out what became of earlier steps, then makes the steps of a new plan. It returns errors that do not
// belong to a step.
func (p *pusher) round() (*round, error) {
	r := &round{s: p.s}
	err := p.s.awaitAbandoned()
	var unresolved map[*tree.Intent]error
	if err == nil {
		unresolved, err = p.resolveIntents()
	}
	if err == nil {
		err = p.s.patrol()
	}
	if err != nil {
		return r, err
	}
	err = p.s.m.Do(func(v *mirror.View) error {
		renew(v)
		r.steps = p.s.plan(v)
		r.changes, r.unknown = make([]Change, len(r.steps)), map[int]error{}
		for i, step := range r.steps {
			r.changes[i] = changeOf(v, step)
			for _, n := range []*tree.Node{step.Node, step.Replaces} {
				if n != nil && n.Diff != nil && unresolved[n.Diff.Intent] != nil {
					r.unknown[i] = unresolved[n.Diff.Intent]
				}
			}
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	if p.s.ordered {
		p.s.turns = newTurns(r.steps)
	}
	p.foundMade(r.steps)
	r.expect(&p.report)
	p.s.m.Limits().Expect(len(r.steps))
	p.s.ahead = p.s.readAhead(r.steps)
	defer p.s.ahead.end()
	r.run(p)
	return r, nil
}

// expect tells the meter how much there is to do.
func (r *round) expect(done *Report) {
	files, bytes := len(done.Results), tree.Sum{}
	for _, result := range done.Results {
		bytes.Add(result.Size)
	}
	done.Results = slices.Grow(done.Results, len(r.steps))
	for i, step := range r.steps {
		if !step.Aux {
			files++
			bytes.Add(r.changes[i].Size)
		}
	}
	r.s.meter.Total(files, bytes.Int64())
}

// run makes the steps, each when those it depends on are done.
func (r *round) run(p *pusher) {
	n := len(r.steps)
	r.waits, r.dependents, r.settled = make([]int, n), make([][]int, n), make([]bool, n)
	r.begun, r.cycles = make([]bool, n), cyclesOf(r.steps)
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
	for i, step := range r.steps {
		if err := r.unknown[i]; err != nil {
			r.end(p, i, Result{Change: r.changes[i], Err: r.refuse(failure{i, err})})
		}
		if result, ok := p.refused[attempted{step.Node.ID, step.Op}]; ok {
			r.end(p, i, result)
		}
	}
	r.loop(p)
	r.sendHome()
	// The late steps set attributes of directories. The last one comes first, so that they go from the innermost
	// outwards.
	for len(r.late) > 0 {
		i := r.late[len(r.late)-1]
		r.late = r.late[:len(r.late)-1]
		if !r.settled[i] {
			r.ready = append(r.ready, i)
			r.loop(p)
		}
	}
}

// loop runs steps until none is ready.
func (r *round) loop(p *pusher) {
	var running, load int64
	for {
		for {
			i, ok := r.next()
			if !ok {
				break
			}
			weight := r.s.m.Limits().Weight(r.changes[i].Size)
			if load+weight > r.s.m.Limits().Capacity() {
				break
			}
			if len(r.ready) > 0 && r.ready[0] == i {
				r.ready = r.ready[1:]
			}
			c := r.cycles[r.steps[i].Cycle]
			switch {
			case r.stop != nil:
				r.end(p, i, Result{Change: r.changes[i], Err: r.stop})
			case c != nil && !c.checked:
				if c.waiting = append(c.waiting, i); len(c.waiting) == 1 {
					running++
					go func() { r.ended <- outcome{checked: c, failed: r.check(c)} }()
				}
			default:
				running++
				load += weight
				r.begun[i] = true
				go func() { r.ended <- outcome{step: i, weight: weight, result: r.attempt(i)} }()
			}
		}
		if running == 0 {
			return
		}
		o := <-r.ended
		running--
		load -= o.weight
		if c := o.checked; c != nil {
			c.checked = true
			r.ready = append(r.ready, c.waiting...)
			for _, f := range o.failed {
				r.end(p, f.step, Result{Change: r.changes[f.step], Err: r.refuse(f)})
			}
			continue
		}
		r.end(p, o.step, o.result)
	}
}

// next returns the step to begin with next; false if there is none yet. With Options.Ordered steps begin in their order,
// so that none waits for its turn and keeps those before it from beginning.
func (r *round) next() (i int, ok bool) {
	if r.s.turns != nil {
		for r.first < len(r.steps) && (r.begun[r.first] || r.steps[r.first].Late) {
			r.first++
		}
		if i = r.first; i < len(r.steps) {
			c := r.cycles[r.steps[i].Cycle]
			return i, r.waits[i] == 0 && (c == nil || c.checked || len(c.waiting) == 0)
		}
	}
	for len(r.ready) > 0 && r.begun[r.ready[0]] {
		r.ready = r.ready[1:]
	}
	if len(r.ready) == 0 {
		return 0, false
	}
	return r.ready[0], true
}

// end records how a step ended, and starts or fails the steps that depend on it.
func (r *round) end(p *pusher, i int, result Result) {
	if r.settled[i] {
		return
	}
	r.begun[i], r.settled[i] = true, true
	r.s.turns.end(i, result.Err)
	result.step = attempted{r.steps[i].Node.ID, r.steps[i].Op}
	switch err := result.Err; {
	case err != nil:
		if r.stop == nil && fatal(err) {
			r.stop = err
		}
		if !r.steps[i].Parks() { // the step that moves it to its place fails with it
			r.failed = append(r.failed, result)
		}
		r.advanced = r.advanced || result.advanced
		r.fail(p, i, err)
	case !r.steps[i].Aux:
		p.report.add(result)
		r.s.meter.Done(result.Size)
		r.advanced = true
	}
	for _, d := range r.dependents[i] {
		if result.Err != nil {
			r.end(p, d, Result{Change: r.changes[d], Err: notBefore(result.Err)})
			continue
		}
		if r.waits[d]--; r.waits[d] == 0 && !r.steps[d].Late {
			r.ready = append(r.ready, d)
		}
	}
}

// fatal reports whether an error means that other steps will fail as well.
func fatal(err error) bool {
	var own inDoubt
	return errors.Is(err, ErrUnavailable) && !errors.As(err, &own) || final(err)
}

// final reports whether an error means that the call has to end.
func final(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fs.ErrClosed)
}

// refused reports whether an error is definite: the remote has answered, or the error is local.
func refused(err error) bool { return err != nil && !fatal(err) }

// forbidden reports whether the remote refuses a request whatever there is under its names.
func forbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported)
}

// attempt makes one step and records the outcome.
func (r *round) attempt(i int) Result {
	step := r.steps[i]
	start := r.s.now()
	result := Result{Change: r.changes[i], index: i}
	result.Attempts++
	if err := r.s.do(step, &result); err != nil {
		result.Err = r.refuse(failure{i, err})
		result.intended = !step.Aux && r.s.intends(step.Node)
	}
	result.Duration = r.s.since(start)
	return result
}

// refuse records that a step has failed, and returns its error with the operation and the names.
func (r *round) refuse(f failure) error {
	err := named(r.changes[f.step], f.err)
	r.s.failed(r.steps[f.step].Node, err)
	return err
}

func named(c Change, err error) error {
	if c.Op == Rename {
		return oserr.Link("push "+c.Op.String(), c.Name, c.NewName, err)
	}
	return oserr.Path("push "+c.Op.String(), c.Name, err)
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

// do makes one step, and completes its Result. If something is missing, it looks for the directory and tries again.
func (s *Fs) do(step tree.Step, r *Result) error {
	if err := s.secure(step); err != nil {
		return err
	}
	if step.Op != tree.Put { // the content of a Put is uploaded meanwhile
		if err := s.turns.await(r); err != nil {
			return err
		}
	}
	for attempt := 1; ; attempt++ {
		err := s.try(step, r)
		if !remote.Absent(err) || errors.Is(err, errLeftAside) || step.To.Dir == nil || attempt == maxMissing {
			return err
		}
		if err := s.ensureParent(step, r); err != nil {
			return err
		}
	}
}

// maxMissing bounds the attempts of a step that misses something: the directory on the remote, which is made, or the
// local file, which was renamed just before it was read.
const maxMissing = 5

func (s *Fs) try(step tree.Step, r *Result) error {
	switch step.Op {
	case tree.Put:
		return s.put(step, r)
	case tree.Mkdir:
		return s.mkdirRemote(step)
	case tree.Symlink:
		return s.symlinkRemote(step)
	case tree.Rename:
		return s.renameRemote(step, r)
	case tree.Remove:
		return s.removeRemote(step, r)
	default:
		return s.setAttrRemote(step, r)
	}
}
