package sftpfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A dialLog is a dial function that takes its time and counts.
type dialLog struct {
	takes time.Duration
	err   error

	mu    sync.Mutex
	dials int
}

func (d *dialLog) dial(ctx context.Context) (*session, error) {
	d.mu.Lock()
	d.dials++
	d.mu.Unlock()
	select {
	case <-time.After(d.takes):
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %v", ErrUnavailable, ctx.Err())
	}
	if d.err != nil {
		return nil, d.err
	}
	return newSession(nil, "host:22"), nil
}

func TestOneAttemptForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &dialLog{takes: time.Second}
		m := newManager(d.dial)
		defer m.close()
		sessions := make(chan *session, 100)
		for range cap(sessions) {
			go func() {
				s, err := m.get(t.Context())
				if err != nil {
					t.Error(err)
				}
				sessions <- s
			}()
		}
		first := <-sessions
		for range cap(sessions) - 1 {
			require.Same(t, first, <-sessions)
		}
		require.Equal(t, 1, d.dials)

		first.fail(errors.New("lost"))
		second, err := m.get(t.Context())
		require.NoError(t, err)
		require.NotSame(t, first, second)
		first.fail(errors.New("lost again, says a call that is late"))
		third, err := m.get(t.Context())
		require.NoError(t, err)
		require.Same(t, second, third, "only the one that failed is replaced")
		require.Equal(t, 2, d.dials)
	})
}

// The attempt is not the first caller's: it goes on for the others.
func TestAttemptOutlivesCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &dialLog{takes: time.Second}
		m := newManager(d.dial)
		defer m.close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := m.get(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = m.get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, d.dials)
	})
}

func TestPauseAfterFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err          error
		takes, pause time.Duration
	}{
		{ErrUnavailable, 30 * time.Second, time.Second},
		{ErrUnavailable, time.Millisecond, 10 * time.Millisecond},
		{ErrAuth, time.Millisecond, time.Second},
		{ErrHostKey, time.Millisecond, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := &dialLog{takes: c.takes, err: c.err}
			m := newManager(d.dial)
			defer m.close()
			_, err := m.get(t.Context())
			require.ErrorIs(t, err, c.err)

			time.Sleep(c.pause - time.Nanosecond)
			began := time.Now()
			_, err = m.get(t.Context())
			require.ErrorIs(t, err, c.err)
			require.Zero(t, time.Since(began), "the answer is known")
			require.Equal(t, 1, d.dials)

			time.Sleep(time.Nanosecond)
			d.err = nil
			_, err = m.get(t.Context())
			require.NoError(t, err)
			require.Equal(t, 2, d.dials)
		})
	}
}

func TestCloseEndsAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &dialLog{takes: time.Hour}
		m := newManager(d.dial)
		waiting := make(chan error)
		go func() {
			_, err := m.get(t.Context())
			waiting <- err
		}()
		synctest.Wait()
		began := time.Now()
		go m.close()
		require.ErrorIs(t, <-waiting, fs.ErrClosed)
		require.Zero(t, time.Since(began))
		_, err := m.get(t.Context())
		require.ErrorIs(t, err, fs.ErrClosed)
		m.close()
	})
}

// A session that is there when the manager closes already is closed, not handed out.
func TestCloseDuringLastStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSession(nil, "host:22")
		m := newManager(func(ctx context.Context) (*session, error) {
			<-ctx.Done()
			return s, nil
		})
		waiting := make(chan error)
		go func() {
			_, err := m.get(t.Context())
			waiting <- err
		}()
		synctest.Wait()
		go m.close()
		require.ErrorIs(t, <-waiting, fs.ErrClosed)
		synctest.Wait()
		require.True(t, s.isLost())
	})
}
