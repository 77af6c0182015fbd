package sftpfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// A fakeOpener takes its time, counts, and refuses what it is told to.
type fakeOpener struct {
	takes      time.Duration
	err        error // of connect
	perConn    int   // sessions on one connection; 0: any number, -1: none
	ignoresEnd bool
	roundTrip  time.Duration

	mu      sync.Mutex
	dials   int
	refused int
}

func (o *fakeOpener) connect(ctx context.Context, opened func(*connection)) (*session, error) {
	o.mu.Lock()
	o.dials++
	err := o.err
	o.mu.Unlock()
	c := newConnection("host:22")
	c.measured(o.roundTrip)
	if o.ignoresEnd {
		<-ctx.Done()
	} else if sleep(ctx, o.takes/2) && err == nil {
		opened(c)
	}
	if !sleep(ctx, o.takes-o.takes/2) {
		return nil, fmt.Errorf("%w: %v", ErrUnavailable, ctx.Err())
	}
	if err == nil && c.isLost() {
		err = fmt.Errorf("%w: %v", ErrUnavailable, c.cause)
	}
	if err != nil {
		return nil, err
	}
	return fakeSession(c), nil
}

func fakeSession(c *connection) *session {
	s := newSession(nil, c, newLearnt())
	s.wire = initializedWire()
	return s
}

// initializedWire returns a wire on which the server has said that it offers these extensions, and nothing else.
func initializedWire(extensions ...any) *wire.Wire {
	w := wire.New(saidAll{iotest.DataErrReader(bytes.NewReader(wiretest.VersionPacket(extensions...)))}, wire.MaxListing)
	_, _ = w.Read(make([]byte, 1))
	return w
}

// saidAll is a channel on which the server has said all it will say.
type saidAll struct{ io.Reader }

func (saidAll) Write(b []byte) (int, error) { return len(b), nil }
func (saidAll) Close() error                { return nil }

func (o *fakeOpener) extend(ctx context.Context, c *connection) (*session, error) {
	if !sleep(ctx, o.takes) {
		return nil, ctx.Err()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.perConn != 0 && len(c.live()) >= o.perConn {
		o.refused++
		return nil, errors.New("no more")
	}
	return fakeSession(c), nil
}

func testManager(t *testing.T, o *fakeOpener) *manager {
	m := newManager(o, newLearnt(), 2, 8)
	m.random = func() float64 { return 0 }
	t.Cleanup(m.close)
	return m
}

func get(t *testing.T, m *manager) *session {
	t.Helper()
	s, err := m.get(t.Context())
	require.NoError(t, err)
	return s
}

func TestOneAttemptForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{takes: time.Second}
		m := testManager(t, o)
		sessions := make(chan *session, 20)
		for range cap(sessions) {
			go func() { sessions <- get(t, m) }()
		}
		first := <-sessions
		for range cap(sessions) - 1 {
			require.Same(t, first, <-sessions)
		}
		require.Equal(t, 1, o.dials)

		first.conn.fail(errors.New("lost"))
		second := get(t, m)
		require.NotSame(t, first, second)
		first.conn.fail(errors.New("lost again, says a call that is late"))
		require.Same(t, second, get(t, m), "only the one that failed is replaced")
		require.Equal(t, 2, o.dials)
	})
}

// A connection whose channel has ended has another one made.
func TestEndedSessionIsReplacedOnItsConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{}
		m := testManager(t, o)
		first := get(t, m)
		first.fail(errors.New("ended"))
		second := get(t, m)
		require.NotSame(t, first, second)
		require.True(t, first.conn == second.conn)

		o.perConn = -1
		second.fail(errors.New("ended"))
		third := get(t, m)
		require.NotSame(t, first.conn, third.conn, "unless the server refuses")
		require.True(t, first.conn.isLost())
	})
}

// The attempt is not the first caller's: it goes on for the others.
func TestAttemptOutlivesCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{takes: time.Second}
		m := testManager(t, o)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := m.get(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		get(t, m)
		require.Equal(t, 1, o.dials)
	})
}

// For a while after a failure the answer is known, longer each time.
func TestBackoff(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, c := range []struct {
		err    error
		random float64
		pauses []time.Duration
	}{
		{ErrUnavailable, 0, []time.Duration{50 * ms, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 2000 * ms, 2000 * ms}},
		{ErrUnavailable, 0.5, []time.Duration{37500 * time.Microsecond, 75 * ms, 150 * ms}},
		{ErrAuth, 0.5, []time.Duration{2 * time.Second}},
		{ErrHostKey, 0.5, []time.Duration{2 * time.Second}},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := &fakeOpener{takes: time.Second, err: c.err}
			m := testManager(t, o)
			m.random = func() float64 { return c.random }
			for i, pause := range c.pauses {
				_, err := m.get(t.Context())
				require.ErrorIs(t, err, c.err)
				require.Equal(t, i+1, o.dials)

				time.Sleep(pause - time.Nanosecond)
				began := time.Now()
				_, err = m.get(t.Context())
				require.ErrorIs(t, err, c.err)
				require.Zero(t, time.Since(began), "the answer is known")
				require.Equal(t, i+1, o.dials)
				time.Sleep(time.Nanosecond)
			}
			o.err = nil
			get(t, m).conn.fail(errors.New("lost"))
			o.err = c.err
			_, err := m.get(t.Context())
			require.ErrorIs(t, err, c.err)
			require.Equal(t, len(c.pauses)+2, o.dials)
			require.LessOrEqual(t, time.Until(m.retryAt), c.pauses[0], "success forgives")
		})
	}
}

func TestCloseEndsAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := testManager(t, &fakeOpener{takes: time.Hour})
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
		m := testManager(t, &fakeOpener{ignoresEnd: true})
		waiting := make(chan error)
		go func() {
			_, err := m.get(t.Context())
			waiting <- err
		}()
		synctest.Wait()
		go m.close()
		require.ErrorIs(t, <-waiting, fs.ErrClosed)
		synctest.Wait()
		require.Empty(t, m.connections)
	})
}

// More sessions are made for more calls, in the background, up to the limit.
func TestGrowsWithTheCrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{takes: time.Second}
		m := testManager(t, o)
		for range 2000 {
			get(t, m)
			synctest.Wait()
			time.Sleep(100 * time.Millisecond)
		}
		live := m.live()
		require.Len(t, live, 8)
		for _, s := range live {
			require.InDelta(t, 250, s.load(), 10, "the least busy is taken")
		}
		require.Equal(t, 1, o.dials, "one connection")
	})
}

// A burst of calls has all sessions made at the same time, and who would only wait on the first one for his turn goes
// to one of those that come.
func TestBurstIsSpread(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		calls, sessions int
		perConn         int
		takes, ended    time.Duration // to make a session; until all calls have one
	}{
		"few":                      {calls: busyLoad, sessions: 1, takes: time.Second},
		"some":                     {calls: 2*busyLoad + 1, sessions: 3, takes: time.Second},
		"many":                     {calls: 8 * wire.MaxRequests, sessions: 8, takes: time.Second, ended: time.Second},
		"the server is slow":       {calls: 2 * wire.MaxRequests, sessions: 8, takes: time.Minute, ended: scaleUpWait},
		"the server takes no more": {calls: 2 * wire.MaxRequests, sessions: 2, perConn: 1, takes: time.Second, ended: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := &fakeOpener{perConn: c.perConn}
				m := testManager(t, o)
				get(t, m).release()
				o.takes = c.takes
				began := time.Now()
				var wg sync.WaitGroup
				for range c.calls {
					wg.Go(func() { get(t, m) })
				}
				wg.Wait()
				require.Equal(t, c.ended, time.Since(began))
				time.Sleep(2 * c.takes)
				synctest.Wait()
				require.Len(t, m.live(), c.sessions)
				if c.takes == c.ended && c.perConn == 0 {
					for _, s := range m.live() {
						require.EqualValues(t, wire.MaxRequests, s.load())
					}
				}
			})
		})
	}
}

// The sessions that are expected to be needed are there when they are, and are not what a connection is made for.
func TestExpect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{takes: time.Second, roundTrip: longRoundTrip}
		m := testManager(t, o)
		f := newFs(m, m.learnt)
		f.Expect(5 * busyLoad)
		synctest.Wait()
		require.Zero(t, o.dials)
		get(t, m).release()
		time.Sleep(time.Second / 2) // they were begun when the first one had its channel
		synctest.Wait()
		require.Len(t, m.live(), 6)
		require.Equal(t, 1, o.dials)

		f.Expect(1)
		f.Expect(1 << 40)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, m.live(), 8)
		m.close()
		f.Expect(1 << 40)
		synctest.Wait()
		require.Empty(t, m.live())

		m = testManager(t, o)
		go func() { _, _ = m.get(t.Context()) }()
		time.Sleep(time.Second * 3 / 4)
		newFs(m, m.learnt).Expect(1 << 40) // while the first one is being made
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, m.live(), 8)

		m = testManager(t, &fakeOpener{takes: time.Second, roundTrip: longRoundTrip - 1})
		newFs(m, m.learnt).Expect(1 << 40)
		get(t, m).release()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, m.live(), 1, "on a short line, there has to be work first")
	})
}

// Those that are begun beside the first one end with it.
func TestExpectedBesideOneThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{takes: 2 * time.Second, roundTrip: longRoundTrip}
		m := testManager(t, o)
		newFs(m, m.learnt).Expect(1 << 40)
		go func() {
			time.Sleep(time.Second * 3 / 2)
			m.mu.Lock()
			defer m.mu.Unlock()
			require.Equal(t, 8, m.starting)
			m.connections[0].fail(errors.New("lost"))
		}()
		_, err := m.get(t.Context())
		require.ErrorContains(t, err, "lost")
		time.Sleep(lastPause)
		synctest.Wait()
		require.Empty(t, m.live())
		require.Zero(t, m.starting)
		require.False(t, get(t, m).conn.isLost())
	})
}

// Who wants several gets different ones, made at the same time.
func TestSeveralSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := testManager(t, &fakeOpener{takes: time.Second})
		have := &taken{sessions: []*session{get(t, m)}}
		began := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { m.another(t.Context(), have) })
		}
		wg.Wait()
		require.Equal(t, time.Second, time.Since(began))
		require.Len(t, have.sessions, 8)
		require.Equal(t, 8, living(have.sessions))
	})
}

// What the server refuses is not asked again, and nobody notices.
func TestRefusalsLowerTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{perConn: 1}
		m := testManager(t, o)
		first := get(t, m)
		second := m.another(t.Context(), &taken{sessions: []*session{first}})
		require.NotSame(t, first.conn, second.conn, "another connection has room")
		require.Nil(t, m.another(t.Context(), &taken{sessions: []*session{first, second}}))
		refused := o.refused
		require.Equal(t, 2, refused)
		for range 100 {
			get(t, m)
		}
		synctest.Wait()
		require.Equal(t, refused, o.refused)
		require.Equal(t, 2, o.dials)
	})
}

// A connection that is refused does no harm, and is tried again when the refusal is old.
func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{perConn: 1}
		m := testManager(t, o)
		first := get(t, m)
		o.err = errors.New("MaxStartups")
		for range 3 {
			require.Nil(t, m.another(t.Context(), &taken{sessions: []*session{first}}))
		}
		require.Equal(t, 2, o.dials)
		require.Same(t, first, get(t, m))
		o.err = nil
		time.Sleep(refusalStands + 1)
		require.NotNil(t, m.another(t.Context(), &taken{sessions: []*session{first}}))
	})
}

func TestGivesBackWhatIsIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := testManager(t, &fakeOpener{perConn: 2})
		have := &taken{sessions: []*session{get(t, m)}}
		for range 3 {
			require.NotNil(t, m.another(t.Context(), have))
		}
		sessions := have.sessions
		for range 3 {
			m.scaleDown()
			require.Len(t, m.live(), 4, "they are in use")
		}
		for _, s := range sessions[1:] {
			s.release()
		}
		sessions[1].files.Add(1)
		sessions[2].begin().release()
		m.scaleDown()
		require.Equal(t, 3, living(sessions[:3]), "used since it was looked at last")
		require.Len(t, m.live(), 3)
		m.scaleDown()
		require.Equal(t, 2, living(sessions[:2]))
		require.Len(t, m.live(), 2)
		sessions[0].release()
		sessions[1].files.Add(-1)
		m.scaleDown()
		require.Len(t, m.live(), 1, "one stays")
		require.Len(t, m.connections, 1)
		m.scaleDown()
		require.Same(t, m.live()[0], get(t, m))
	})
}

func living(sessions []*session) (n int) {
	for _, s := range sessions {
		if !s.isLost() {
			n++
		}
	}
	return n
}

// Calls do not go to a session that is stalled while there is another one, or can be one. It is given back when those on it
// have ended.
func TestStalledSessionIsPassedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{takes: time.Second}
		m := testManager(t, o)
		first := get(t, m)
		first.stall()
		second := get(t, m)
		require.NotSame(t, first, second, "it is waited for")
		require.Same(t, first.conn, second.conn)
		for range 100 {
			get(t, m)
		}
		require.Equal(t, int64(1), first.load())
		m.scaleDown()
		m.scaleDown()
		require.False(t, first.isLost(), "a call is on it")
		first.release()
		m.scaleDown()
		m.scaleDown()
		require.True(t, first.isLost())
	})
}

// Where no other session is to be had, calls wait in line.
func TestStalledSessionIsBetterThanNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{takes: time.Second, perConn: 1}
		m := testManager(t, o)
		m.maxConnections = 1
		first := get(t, m)
		first.stall()
		began := time.Now()
		require.Same(t, first, get(t, m))
		require.LessOrEqual(t, time.Since(began), scaleUpWait)
		began = time.Now()
		require.Same(t, first, get(t, m))
		require.Zero(t, time.Since(began), "the server is known to refuse")
	})
}
