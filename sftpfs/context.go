package sftpfs

import (
	"context"
	"errors"
	"fmt"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
)

// An effect says what a call changes on the server.
type effect uint8

const (
	harmless effect = iota // nothing: if its connection is lost, the call is sent again
	repeat                 // it changes the server, and may be sent again
	once                   // it changes the server; if the outcome is unknown, the caller has to find out
)

// A fate says what became of a call.
type fate uint8

const (
	answered fate = iota
	lost          // its session was lost
	blocked       // its session was given up because of this call's request, or one that was sent at the same time
	passed        // it left its session, which is stalled because of another call's request
)

// maxLeft is how many stalled sessions a call leaves before it waits for an answer.
const maxLeft = 2

// call runs op on a live session, and waits until op returns or f's context ends. If the session is lost, call runs op
// once more, unless e is once. late receives the result of an op that was abandoned.
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

// try runs op on s. If mayLeave is set, a harmless op leaves s when s is stalled because of another call's request.
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

// Settle waits for the calls that were given up when their context ended: until their requests are answered, the server
// may still carry them out. It returns nil once all these requests are answered or their connections are lost, and
// ctx's error if ctx ends first. It stops waiting for a call 10 s after the call was given up.
func (f *Fs) Settle(ctx context.Context) error { return f.abandoned.Wait(ctx) }

// run is call for an op without a result.
func run(f *Fs, e effect, op func(remote) error) error {
	_, err := call(f, e, func(r remote) (struct{}, error) { return struct{}{}, op(r) }, nil)
	return err
}

func unknownOutcome(err error) error { return fmt.Errorf("%w; the outcome is unknown", err) }
