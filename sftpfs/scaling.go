package sftpfs

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
)

func (m *manager) another(ctx context.Context, t *taken) *session {
	for {
		s, started := m.orScaleUp(t)
		if s != nil || started == nil {
			return s
		}
		select {
		case <-started:
		case <-ctx.Done():
			return nil
		}
	}
}

// orScaleUp returns a session that is not in t, and adds it to t. If there is none, it starts one, and returns a
// channel to wait on, or nil if there can be none. For a transfer it does so, too, if the other sessions are busy,
// because a transfer goes on meanwhile; but it does not make the transfer wait for a new connection then.
func (m *manager) orScaleUp(t *taken) (*session, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, nil
	}
	others := slices.DeleteFunc(m.live(), func(s *session) bool {
		return slices.Contains(t.sessions, s) || s.full() || s.isStalled() || t.claim > 0 && s.claimed.Load() >= maxClaims
	})
	var s *session
	if len(others) > 0 {
		s = leastBusy(others)
	}
	if s == nil || t.claim > 0 && s.claimed.Load() >= inFlight/2 {
		m.scaleUp(nil)
		if m.starting > 0 && (s == nil || !m.connecting) {
			return nil, m.started
		}
	}
	if s == nil {
		return nil, nil
	}
	t.sessions = append(t.sessions, s)
	s.claimed.Add(t.claim)
	return s.begin(), nil
}

// alone starts a session that counts as stalled from the start, so that other calls avoid it. It does not take the last
// place, because other calls need one.
func (m *manager) alone(ctx context.Context) (*session, error) {
	made := make(chan *session, 1)
	m.mu.Lock()
	starts := !m.closed && len(m.live())+m.starting+1 < m.maxSessions && m.scaleUp(func(s *session) {
		if s != nil {
			s.stall()
			s.begin()
		}
		made <- s
	})
	m.mu.Unlock()
	var s *session
	var err error
	if starts {
		s, err = abandon.Await(ctx, nil, func() (*session, error) { return <-made, nil }, func(s *session) {
			if s != nil {
				s.release()
			}
		})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s == nil && err == nil && m.closed {
		err = fs.ErrClosed
	}
	return s, err
}

// Expect hints that so many calls will soon be in flight, so that channels can be opened in advance. If the round trip
// is long (10 ms or more), Expect opens them in the background, which takes three round trips. If there is no
// connection, they are opened once there is one: Expect does not connect. If the round trip is short, channels are
// opened when there is work for them.
func (f *Fs) Expect(calls int) {
	if m, ok := f.conns.(*manager); ok {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.expected = calls
		if !m.closed {
			m.scaleUpAsExpected()
		}
	}
}

// scaleUpAsExpected starts sessions for the expected calls, if there is a connection with a long round trip. m.mu is
// held.
func (m *manager) scaleUpAsExpected() {
	connections := m.liveConnections()
	if len(connections) == 0 {
		return
	}
	if time.Duration(connections[0].roundTrip.Load()) >= longRoundTrip {
		m.scaleUpTo(m.live(), m.expected)
	}
	m.expected = 0
}

// scaleUpBeside starts sessions for the expected calls, while the first session on c is being started.
func (m *manager) scaleUpBeside(c *connection) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.know(c)
		m.scaleUpAsExpected()
	}
}

// scaleUpTo starts all sessions that are missing for a load, at the same time, because starting one takes several round
// trips. m.mu is held.
func (m *manager) scaleUpTo(live []*session, load int) {
	have := m.starting
	for _, s := range live {
		if !s.isStalled() {
			have++
		}
	}
	for range min(load/busyLoad+1, m.maxSessions) - have {
		m.scaleUp(nil)
	}
}

// loadOf returns the load of the sessions that are not stalled.
func loadOf(sessions []*session) (sum int) {
	for _, s := range sessions {
		if !s.isStalled() {
			sum += int(s.load())
		}
	}
	return sum
}

// scaleUp starts one more session in the background. It reports whether it does: the limits must allow it, and the
// server must not be known to refuse. first, if not nil, receives the session, or nil on failure, before any other call
// does. m.mu is held, also when first is called.
func (m *manager) scaleUp(first func(*session)) bool {
	c, allowed := m.place()
	if !allowed {
		return false
	}
	m.starting++
	m.connecting = m.connecting || c == nil
	m.wg.Go(func() {
		var s *session
		var err error
		if c != nil {
			s, err = m.extend(m.ctx, c)
		} else {
			s, err = m.connect(m.ctx, func(*connection) {})
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if c == nil {
			m.connecting = false
		}
		switch err = m.adopt(s, err); {
		case err == nil:
		case c == nil: // for example because of MaxStartups
			m.noMoreUntil = time.Now().Add(refusalStands)
		default: // for example because of MaxSessions
			c.refuse()
		}
		if err != nil {
			s = nil
		}
		if first != nil {
			first(s)
		}
		m.scaledUp()
	})
	return true
}

// scaledUp wakes the calls that wait for a session: one is open, or has failed. m.mu is held.
func (m *manager) scaledUp() {
	m.starting--
	close(m.started)
	m.started = make(chan struct{})
}

// place returns where another session may be started: on the connection with the fewest sessions, or on a new one if c
// is nil. allowed reports whether the limits and the server permit it. m.mu is held.
func (m *manager) place() (c *connection, allowed bool) {
	connections := m.liveConnections()
	if len(m.live())+m.starting >= m.maxSessions {
		return nil, false
	}
	fewest := 0
	for _, candidate := range connections {
		if n := len(candidate.live()); !m.learnt.channels.only() && candidate.takesMore() && (c == nil || n < fewest) {
			c, fewest = candidate, n
		}
	}
	if c != nil {
		return c, true
	}
	return nil, len(connections) > 0 && len(connections) < m.maxConnections && !m.connecting &&
		time.Now().After(m.noMoreUntil)
}

// scaleDown closes the sessions that were not used since its last call, but keeps one that is not stalled. It also
// closes further connections without sessions.
func (m *manager) scaleDown() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	live := m.live()
	for i, s := range slices.Backward(live) {
		if used := s.used.Swap(false) || s.load() > 0; !used && (i > 0 || s.isStalled()) {
			s.fail(errIdle)
			m.wg.Go(func() { s.wire.Close() })
		}
	}
	for i, c := range slices.Backward(m.connections) {
		if i > 0 && len(c.live()) == 0 {
			c.fail(errIdle)
		}
	}
}

var errIdle = errors.New("given back, not needed")
