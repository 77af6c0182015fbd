package syncfs

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// inBubble runs a test with a clock that runs only while all wait.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, f)
}

func TestPushTriesAgainAfterALostLink(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, &Options{RetryFor: time.Minute})
		r.write("a", "d/b", "d/c")
		var failures atomic.Int32
		r.plan.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Write && failures.Add(1) <= 5 {
				return errDown
			}
			return nil
		})
		report := r.pushes()
		r.has(r.served(), "a:a", "d/", "d/b:d/b", "d/c:d/c")
		r.queued()
		attempts := 0
		for _, result := range report.Results {
			require.NoError(t, result.Err)
			attempts += result.Attempts
		}
		require.Len(t, report.Results, 4, "one result for each change, however often it was tried")
		require.Greater(t, attempts, 5)
		require.Zero(t, report.Failed)
	})
}

func TestPushGivesUpOnARemoteThatStaysAway(t *testing.T) {
	for name, c := range map[string]struct {
		retryFor    time.Duration
		least, most time.Duration
	}{
		"default": {0, defaultRetryFor / 2, defaultRetryFor},
		"longer":  {time.Minute, time.Minute - longestPause, time.Minute},
		"never":   {-1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t, &Options{RetryFor: c.retryFor})
				require.NoError(t, r.fs.Close())
				s, err := New(faultfs.New(r.remote, r.plan), r.local, r.opts) // as it is, for "default"
				require.NoError(t, err)
				r.fs = s
				r.write("a", "b")
				r.down()
				start := time.Now()
				report := r.fails(ErrUnavailable)
				took := time.Since(start)
				require.GreaterOrEqual(t, took, c.least)
				require.LessOrEqual(t, took, c.most)
				require.LessOrEqual(t, len(report.Results), 2)
				r.up()
				r.pushes()
				r.has(r.served(), "a:a", "b:b")
			})
		})
	}
}

// What the remote refuses is not tried again, also not because something else is.
func TestPushDoesNotRepeatWhatWasRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, &Options{RetryFor: time.Minute})
		r.opts.Cache.Parallel = 1
		r.restart()
		r.serve("refused", "taken")
		r.append("refused", "+")
		r.append("taken", "+")
		r.write("lost")
		require.NoError(t, r.remote.Remove("taken"))
		r.write("taken2")
		var refusals, cuts int
		r.plan.Before(func(op faultfs.Op) error {
			switch {
			case op.Kind == faultfs.Rename && op.NewName == "/refused":
				refusals++
				return fs.ErrPermission
			case op.Kind == faultfs.Rename && op.NewName == "/lost" && cuts < 3:
				cuts++
				return errDown
			}
			return nil
		})
		report := r.fails(fs.ErrPermission)
		require.Equal(t, 1, refusals)
		require.Equal(t, 3, cuts)
		require.Equal(t, 2, report.Failed)
		r.queued("put refused", "put taken")
		r.has(r.served(), "lost:lost", "refused:refused", "taken2:taken2")
	})
}

func TestPauseBetweenAttemptsEndsWithTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, &Options{RetryFor: time.Hour})
		r.write("a")
		r.down()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := r.fs.Push(ctx)
		require.ErrorIs(t, err, ErrUnavailable)
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

// A step whose outcome is not known is looked into before the next attempt, and not made twice.
func TestRetryLooksBeforeItRepeats(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, &Options{RetryFor: time.Minute})
		r.serve("d/x")
		require.NoError(t, r.fs.Rename("d", "e"))
		renames := 0
		r.plan.After(func(op faultfs.Op, err error) error {
			if op.Kind == faultfs.Rename && op.Name == "/d" {
				renames++
				return errDown
			}
			return err
		})
		report := r.pushes()
		require.Equal(t, 1, renames)
		r.has(r.served(), "e/", "e/x:d/x")
		require.Len(t, report.Results, 1, "what was found out is reported")
		require.NoError(t, report.Results[0].Err)
	})
}

// An upload that arrives whole, and is not what was sent, is no progress: Push does not send it for ever.
func TestPushOfWhatTheRemoteGarblesEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var times atomic.Int32
		times.Store(math.MaxInt32)
		base := aferotest.OS(t.TempDir())
		s := newFs(t, flipping{base, base.(afero.Symlinker), &times}, bubbleDisk(), &Options{Verify: true, RetryFor: time.Minute})
		require.NoError(t, afero.WriteFile(s, "large", bytes.Repeat([]byte("0123456789abcdef"), 3<<16), 0o644))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := s.Push(ctx)
		require.ErrorIs(t, err, errNotVerified)
		require.NoError(t, ctx.Err())
	})
}

func TestPausesGrow(t *testing.T) {
	t.Parallel()
	for n := range 100 {
		longest, shortest := pause(n, 0), pause(n, 0.999999)
		require.LessOrEqual(t, longest, longestPause)
		require.GreaterOrEqual(t, shortest, longest/2)
		if n > 0 {
			require.GreaterOrEqual(t, longest, pause(n-1, 0))
		}
	}
	require.Equal(t, firstPause, pause(0, 0))
	require.Equal(t, longestPause, pause(99, 0))
}

func TestTransientErrors(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		ErrUnavailable:   true,
		errNotVerified:   true,
		fs.ErrPermission: false,
		ErrConflict:      false,
		ErrBusy:          false,
		context.Canceled: false,
		errors.Join(ErrUnavailable, fs.ErrClosed): false,
	} {
		require.Equal(t, want, transient(err), err)
	}
}
