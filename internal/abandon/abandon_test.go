package abandon

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestACallEndsWithItsContextAndIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls Calls
		answer, late := make(chan int), 0
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := Await(ctx, &calls, func() (int, error) { return <-answer, nil }, func(v int) { late = v })
		require.ErrorIs(t, err, context.DeadlineExceeded)

		hurry, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		require.ErrorIs(t, calls.Wait(hurry), context.DeadlineExceeded)

		go func() {
			time.Sleep(Limit / 2)
			answer <- 7
		}()
		require.NoError(t, calls.Wait(context.Background()))
		require.Equal(t, 7, late, "what the call returned is dealt with before it counts as ended")
		require.Empty(t, calls.left())
	})
}

func TestACallThatFailsLateIsNotHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls Calls
		fail := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := Await(ctx, &calls, func() (int, error) { <-fail; return 0, errors.New("refused") }, func(int) { t.Error("handed on") })
		require.ErrorIs(t, err, context.Canceled)
		close(fail)
		require.NoError(t, calls.Wait(context.Background()))
	})
}

func TestACallThatNeverEndsIsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls Calls
		calls.Add(make(chan struct{}))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.Error(t, calls.Wait(ctx))
		began := time.Now()
		require.NoError(t, calls.Wait(context.Background()))
		require.Equal(t, Limit-time.Second, time.Since(began))
		require.NoError(t, calls.Wait(context.Background()))
		require.Equal(t, Limit-time.Second, time.Since(began), "it is waited for once")
	})
}

func TestNothingIsRecordedWithoutCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := Await(ctx, nil, func() (int, error) { <-answer; return 0, nil }, nil)
		require.ErrorIs(t, err, context.Canceled)
		close(answer)
		v, err := Await(context.Background(), nil, func() (int, error) { return 3, nil }, nil)
		require.NoError(t, err)
		require.Equal(t, 3, v)
	})
}
