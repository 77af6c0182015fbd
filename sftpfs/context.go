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

// call runs op on a live session and waits as long as f's context allows. late gets the result of an op that was
// abandoned.
func call[T any](f *Fs, e effect, op func(remote) (T, error), late func(T)) (T, error) {
	v, s, err := try(f, e, op, late)
	if s == nil || !errors.Is(err, ErrUnavailable) {
		return v, err
	}
	if e == once {
		return v, unknownOutcome(err)
	}
	v, _, err = try(f, e, op, late)
	return v, err
}

// try returns also the session that op ran on; there is none if op did not run.
func try[T any](f *Fs, e effect, op func(remote) (T, error), late func(T)) (T, *session, error) {
	s, err := f.session()
	if err != nil {
		var zero T
		return zero, nil, err
	}
	abandoned := f.abandoned
	if e == harmless {
		abandoned = nil
	}
	v, err := abandon.Await(f.ctx, abandoned, func() (T, error) {
		defer s.release()
		return op(remote{s, f.ctx})
	}, late)
	return v, s, err
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
