package syncfs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/progress"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// maxRounds bounds how often one Push starts over with what was queued while it ran.
const maxRounds = 8

// Push makes the remote equal to what the program sees, for all queued changes. It returns nil only if nothing is left: no
// change is queued, no file is open for writing, nothing is in conflict. Push makes independent changes in parallel, and a
// change that fails does not stop the others. Failed changes stay queued.
//
// While the remote does not answer, Push retries as Options.RetryFor says. An interrupted upload continues where it stopped,
// in this Push or a later one, if the local file is unchanged. It starts over if the remote refuses to continue, has lost
// what was sent, or if nobody knows how much arrived: on a remote with files that take many writes at once (io.ReaderFrom)
// and do not say how far they got (Acknowledged() int64).
//
// With nothing queued, Push does not use the remote, unless a request is in doubt. Concurrent calls run one after the other.
// Close ends Push with an error that matches fs.ErrClosed.
//
// The error joins the errors of the results. It matches ErrConflict if the remote has another version than the base of a
// change, ErrBusy if a file is open for writing or was changed meanwhile, ErrUnavailable if the remote did not answer (the
// next Push finds out what became of the step), and the error of ctx if that ended.
func (s *Fs) Push(ctx context.Context) (Report, error) { return s.push(ctx, Fail, nil) }

func (s *Fs) push(ctx context.Context, policy ConflictPolicy, names []string) (Report, error) {
	s = s.with(ctx)
	end, err := s.m.Begin()
	if err != nil {
		return Report{}, fmt.Errorf("push: %w", err)
	}
	var done func()
	if s, err = s.judging(policy, names); err == nil {
		done, err = s.alone()
	}
	if err != nil {
		end()
		return Report{}, err
	}
	defer done()
	s.meter = progress.NewMeter("push", s.m.Options().Progress)
	defer s.meter.Close()
	defer end() // before the last report: Close does not wait for Progress
	s.connect()
	p := pusher{s: s, refused: map[attempted]Result{}, unknown: map[attempted]Result{}, overtaken: map[attempted]bool{}}
	p.patience = patience{limit: s.retryFor, idle: time.Now()}
	return p.push()
}

// connect makes the remote connect in the background if there is something to push: connecting takes a while, and so
// does planning.
func (s *Fs) connect() {
	useful := s.holds(func(v *mirror.View) bool {
		yes := len(v.Tree().Guards()) > 0
		v.Tree().Pending(func(n *tree.Node) {
			yes = yes || n.Content() != tree.Busy && n.Content() != tree.Interrupted
		})
		return yes
	})
	if useful {
		s.m.Connect()
	}
}

// alone waits until no other Push or Discard runs.
func (s *Fs) alone() (done func(), err error) {
	ctx := s.m.Context()
	select {
	case s.pushing <- struct{}{}:
		return func() { <-s.pushing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pusher is one Push: it runs rounds until nothing is left to do.
type pusher struct {
	s        *Fs
	patience patience
	refused  map[attempted]Result // steps that failed for good
	unknown  map[attempted]Result // steps whose outcome is in doubt
	// overtaken are steps that were tried again because an earlier request was executed late, or may have been.
	overtaken map[attempted]bool
	report    Report
}

// attempted identifies a step from one round to the next.
type attempted struct {
	node tree.ID
	op   tree.Op
}

func (p *pusher) push() (Report, error) {
	ctx := p.s.m.Context()
	for rounds := 0; ; {
		r, err := p.round()
		if r.advanced {
			p.patience.progress(time.Now())
		}
		switch {
		case err == nil && len(r.failed) == 0 && !r.advanced:
			return p.report, nil
		case err == nil && len(r.failed) == 0:
			if rounds++; rounds == maxRounds {
				return p.report, fmt.Errorf("push: %w: files are being changed all the time", ErrBusy)
			}
			continue
		}
		again, now := p.note(r.failed)
		if again || err != nil && transient(err) {
			now = p.awaitRemote(ctx)
		}
		if now {
			continue
		}
		for _, result := range r.failed {
			p.report.add(result)
		}
		if err != nil {
			return p.report, fmt.Errorf("push: %w", err)
		}
		err = p.report.err()
		if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
			err = errors.Join(err, fmt.Errorf("push: %w", ended))
		}
		return p.report, err
	}
}

// note records the steps that failed for good, so that they are not tried again. It reports whether others are to be tried
// again: when the remote answers, or now, once, since an earlier request may have been executed in the middle of the round.
func (p *pusher) note(failed []Result) (again, now bool) {
	for _, r := range failed {
		var waits *blocked
		switch {
		case transient(r.Err):
			again = true
		case final(r.Err):
		case !p.overtaken[r.step] && p.s.concernsDoubt(r.Change):
			p.overtaken[r.step], now = true, true
		case !errors.As(r.Err, &waits): // else it fails with the one that it waits for
			p.refused[r.step] = r
		}
		if r.intended {
			p.unknown[r.step] = r
		}
	}
	return again, now
}

// foundMade reports the steps in doubt that turned out to have been made: they were not found undone, and are no longer
// planned.
func (p *pusher) foundMade(steps []tree.Step) {
	for _, step := range steps {
		delete(p.unknown, attempted{step.Node.ID, step.Op})
	}
	for step, r := range p.unknown {
		r.Err = nil
		p.report.add(r)
		p.s.meter.Done(r.Size)
		delete(p.unknown, step)
	}
}

// awaitRemote waits until the remote answers. It reports whether another attempt makes sense.
func (p *pusher) awaitRemote(ctx context.Context) bool {
	for {
		d, ok := p.patience.next(time.Now(), rand.Float64())
		if !ok || wait(ctx, d) != nil {
			return false
		}
		if a := p.s.m.Remote().Ask("."); a.Known != tree.Unknown || !transient(a.Err) {
			return true
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
