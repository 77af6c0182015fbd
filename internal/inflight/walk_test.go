package inflight

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// wide is a task that leads to others of the given depth, width each. visit is called by each.
func wide(depth, width int, visit func() error) Task {
	return Task{Weight: 1, Leads: depth > 0, Do: func() (Tasks, error) {
		if err := visit(); err != nil || depth == 0 {
			return nil, err
		}
		left := width
		return func() (Task, bool) {
			if left == 0 {
				return Task{}, false
			}
			left--
			return wide(depth-1, width, visit), true
		}, nil
	}}
}

func TestWalkDoesEachTaskOnceWithinCapacity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tasks, running, most atomic.Int32
		err := Limits{Parallel: 3}.Walk(t.Context(), wide(4, 3, func() error {
			tasks.Add(1)
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Second)
			running.Add(-1)
			return nil
		}))
		require.NoError(t, err)
		require.EqualValues(t, 1+3+9+27+81, tasks.Load())
		require.EqualValues(t, 3, most.Load())
	})
}

func TestWalkEndsWithAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("failed")
		var tasks atomic.Int32
		err := Limits{Parallel: 2}.Walk(t.Context(), wide(1<<30, 2, func() error {
			if tasks.Add(1) == 1000 {
				return failed
			}
			return nil
		}))
		require.ErrorIs(t, err, failed)
		require.LessOrEqual(t, tasks.Load(), int32(1001), "only what was in flight")
	})
}

func TestWalkEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := Limits{Parallel: 4}.Walk(ctx, wide(1<<30, 2, func() error {
			time.Sleep(time.Second)
			return nil
		}))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// A tree without end is walked down, not across.
func TestWalkOfAnEndlessTreeStaysNarrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := errors.New("ended")
		var running, tasks, mostLate atomic.Int32
		err := Limits{}.Walk(t.Context(), wide(1<<30, 1<<30, func() error {
			defer running.Add(-1)
			now := running.Add(1)
			switch n := tasks.Add(1); {
			case n > 3*mostWaiting:
				return ended
			case n > 2*mostWaiting:
				mostLate.Store(max(mostLate.Load(), now))
			}
			time.Sleep(time.Second)
			return nil
		}))
		require.ErrorIs(t, err, ended)
		require.LessOrEqual(t, mostLate.Load(), int32(largeAtOnce))
	})
}
