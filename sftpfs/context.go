package sftpfs

import (
	"context"
	"errors"
	"fmt"
)

// await runs op and returns its result, or ctx's error as soon as ctx ends. pkg/sftp knows no contexts, so op may
// then still be waiting for the server: what it returns without error goes to late, which may be nil. op must not
// touch memory of the caller's caller, who goes on when await has returned.
func await[T any](ctx context.Context, op func() (T, error), late func(T)) (T, error) {
	if ctx.Done() == nil {
		return op()
	}
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := op()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
	}
	if late != nil {
		go func() {
			if r := <-done; r.err == nil {
				late(r.v)
			}
		}()
	}
	var zero T
	return zero, ctx.Err()
}

// Whether a call is sent again when the connection is lost under it.
const (
	once  = false // it changes the server: an unknown outcome is the caller's to resolve
	again = true
)

// call runs op on a live session and waits as long as f's context allows. late gets the result of an op that was
// abandoned.
func call[T any](f *Fs, repeat bool, op func(remote) (T, error), late func(T)) (T, error) {
	v, s, err := try(f, op, late)
	if s == nil || !errors.Is(err, ErrUnavailable) {
		return v, err
	}
	if !repeat {
		return v, unknownOutcome(err)
	}
	v, _, err = try(f, op, late)
	return v, err
}

// try returns also the session that op ran on; there is none if op did not run.
func try[T any](f *Fs, op func(remote) (T, error), late func(T)) (T, *session, error) {
	s, err := f.session()
	if err != nil {
		var zero T
		return zero, nil, err
	}
	v, err := await(f.ctx, func() (T, error) {
		defer s.release()
		return op(remote{s, f.ctx})
	}, late)
	return v, s, err
}

// run is call for an op without a result.
func run(f *Fs, repeat bool, op func(remote) error) error {
	_, err := call(f, repeat, func(r remote) (struct{}, error) { return struct{}{}, op(r) }, nil)
	return err
}

func unknownOutcome(err error) error { return fmt.Errorf("%w; the outcome is unknown", err) }
