// Package abandon lets a caller give up on a call that cannot be interrupted, and lets others wait until such calls have
// ended.
//
// A request that changes a server may still be carried out after its caller has gone. Whoever looks at the server to find
// out what became of it has to wait for the call first.
package abandon

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Calls are calls that were given up and may still run. The zero value has none; a nil *Calls records nothing. Safe for
// concurrent use.
type Calls struct {
	mu      sync.Mutex                    // guards running
	running map[<-chan struct{}]time.Time // when the calls were given up; their channels are closed when they have ended
}

// Limit is how long a call that was given up is waited for in all. What it does after that has to be found out otherwise.
const Limit = 10 * time.Second

// Await runs call, also if ctx has ended, and returns its result, or ctx's error as soon as ctx ends. A call that is
// given up goes on in its goroutine and is in calls until it has ended. If it succeeds then, late gets its result; late
// may be nil. The call must not touch memory of Await's caller, who goes on meanwhile.
func Await[T any](ctx context.Context, calls *Calls, call func() (T, error), late func(T)) (T, error) {
	v, _, err := AwaitOrLeave(ctx, nil, nil, calls, call, late)
	return v, err
}

// AwaitOrLeave is Await for a call that is also given up when leave is closed, if mayLeave says so then. left says that this
// was why.
func AwaitOrLeave[T any](ctx context.Context, leave <-chan struct{}, mayLeave func() bool, calls *Calls,
	call func() (T, error), late func(T)) (result T, left bool, _ error) {
	if ctx.Done() == nil && leave == nil {
		v, err := call()
		return v, false, err
	}
	var v T
	var err error
	returned, ended := make(chan struct{}), make(chan struct{})
	var decided atomic.Bool // that the call has returned, or is given up
	go func() {
		defer close(ended)
		v, err = call()
		if decided.CompareAndSwap(false, true) {
			close(returned)
		} else if err == nil && late != nil {
			late(v)
		}
	}()
	for waiting := true; waiting; {
		select {
		case <-returned:
			return v, false, err
		case <-ctx.Done():
			waiting = false
		case <-leave:
			leave, left = nil, mayLeave()
			waiting = !left
		}
	}
	if decided.CompareAndSwap(false, true) {
		calls.Add(ended)
	} else if <-returned; err == nil && late != nil { // it may have ended with ctx, whatever it has returned
		late(v)
	}
	return result, left, ctx.Err()
}

// Add records a call that was given up; ended is closed when it has ended.
func (c *Calls) Add(ended <-chan struct{}) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prune()
	if c.running == nil {
		c.running = map[<-chan struct{}]time.Time{}
	}
	c.running[ended] = time.Now()
}

// Wait returns nil once all calls have ended that were given up before, or that was [Limit] ago, or ctx's error.
func (c *Calls) Wait(ctx context.Context) error {
	for ended, since := range c.left() {
		late := time.NewTimer(Limit - time.Since(since))
		defer late.Stop()
		select {
		case <-ended:
		case <-late.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *Calls) left() map[<-chan struct{}]time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prune()
	return maps.Clone(c.running)
}

// prune forgets the calls that have ended, and those that are not waited for any more. c.mu is held.
func (c *Calls) prune() {
	maps.DeleteFunc(c.running, func(ended <-chan struct{}, since time.Time) bool {
		select {
		case <-ended:
			return true
		default:
			return time.Since(since) >= Limit
		}
	})
}
