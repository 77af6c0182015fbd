package sftpfs

import (
	"context"
	"errors"
	"fmt"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
)

// An effect is what a call does to the server.
type effect uint8

const (
	harmless effect = iota // none: the call is sent again when the connection is lost under it
	repeat                 // it changes the server, and may be sent again
	once                   // it changes the server, and an unknown outcome is the caller's to resolve
)

// A fate is what became of a call.
type fate uint8

const (
	answered fate = iota
	lost          // with its session
	blocked       // its session was given up because of this call's request, or one that was sent at the same time
	passed        // it has left its session, which is stalled because of another call's request
)

// maxLeft is how many sessions a call leaves, one after the other, before it waits as long as they take.
const maxLeft = 2

// call runs op on a live session and waits as long as f's context allows. late gets the result of an op that was
// abandoned.
func call[T any](f *Fs, e effect, op func(remote) (T, error), late func(T)) (T, error) {
	var v T
	s, err := f.session()
	for again, left := false, 0; err == nil; {
		var became fate
		v, became, err = try(f, e, s, left < maxLeft, op, late)
		switch {
		case became == passed:
			left++
			s, err = f.session()
			continue
		case became == answered || again:
			return v, err
		case e == once:
			return v, unknownOutcome(err)
		}
		if again = true; became == lost {
			s, err = f.session()
		} else if own, ownErr := f.conns.alone(f.ctx); own != nil || ownErr != nil {
			s, err = own, ownErr
		}
	}
	return v, err
}

// try runs op on a session. What changes nothing does not wait behind what a server takes long for, if it may leave.
func try[T any](f *Fs, e effect, s *session, mayLeave bool, op func(remote) (T, error), late func(T)) (T, fate, error) {
	r := remote{session: s, ctx: f.ctx, asked: newLastRequest()}
	abandoned := f.abandoned
	if e == harmless {
		abandoned = nil
	}
	var leave <-chan struct{}
	if stalled := s.stalled.Load(); e == harmless && mayLeave && stalled.Err() == nil {
		leave = stalled.Done()
	}
	v, left, err := abandon.AwaitOrLeave(f.ctx, leave, func() bool { return !r.mayBlock() }, abandoned, func() (T, error) {
		defer s.release()
		return op(r)
	}, late)
	switch {
	case left:
		return v, passed, err
	case !errors.Is(err, ErrUnavailable):
		return v, answered, err
	case s.givenUp.Load() && r.mayBlock():
		return v, blocked, err
	}
	return v, lost, err
}

// Settle returns nil once the server has answered every request of calls that were given up when their context ended, or the
// connection is lost, or ctx's error. Until then such a request may still be carried out. It waits for 10 s at most.
func (f *Fs) Settle(ctx context.Context) error { return f.abandoned.Wait(ctx) }

// run is call for an op without a result.
func run(f *Fs, e effect, op func(remote) error) error {
	_, err := call(f, e, func(r remote) (struct{}, error) { return struct{}{}, op(r) }, nil)
	return err
}

func unknownOutcome(err error) error { return fmt.Errorf("%w; the outcome is unknown", err) }
