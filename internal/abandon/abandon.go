// Package abandon lets a caller abandon a call that can't be interrupted, and lets others wait for the end of such
// calls.
//
// A request that changes a server may still be carried out after its caller has left. Before somebody looks at the
// server to find the outcome, it must wait for the call.
package abandon

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Calls holds the abandoned calls that may still run. The zero value is empty; a nil *Calls records nothing. It is safe
// for concurrent use.
type Calls struct {
	mu      sync.Mutex                    // guards running
	running map[<-chan struct{}]time.Time // when each call was abandoned, by the channel that is closed at its end
}

// Limit bounds how long Wait waits for an abandoned call. If the call runs longer, its outcome must be found in another
// way.
const Limit = 10 * time.Second

// Await runs call, even if ctx has ended, and returns its result, or ctx's error as soon as ctx ends. An abandoned call
// continues in its goroutine, and is in calls until its end. If it succeeds then, late receives its result; late may be
// nil. The call must not touch memory of Await's caller, which continues meanwhile.
func Await[T any](ctx context.Context, calls *Calls, call func() (T, error), late func(T)) (T, error) {
	v, _, err := AwaitOrLeave(ctx, nil, nil, calls, call, late)
	return v, err
}

// AwaitOrLeave is Await for a call that is also abandoned if leave is closed and mayLeave then returns true. left
// reports whether this was the reason.
func AwaitOrLeave[T any](ctx context.Context, leave <-chan struct{}, mayLeave func() bool, calls *Calls,
	call func() (T, error), late func(T)) (result T, left bool, _ error) {
	if ctx.Done() == nil && leave == nil {
		v, err := call()
		return v, false, err
	}
	var v T
	var err error
	returned, ended := make(chan struct{}), make(chan struct{})
	var decided atomic.Bool // set when the call has returned or is abandoned
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
	} else if <-returned; err == nil && late != nil { // it returned as ctx ended
		late(v)
	}
	return result, left, ctx.Err()
}

// Add records an abandoned call; ended is closed at its end.
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

// Wait waits until all recorded calls have ended, or were abandoned [Limit] ago. It returns nil, or ctx's error.
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

// prune removes the calls that have ended or are not waited for any more. c.mu is held.
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
