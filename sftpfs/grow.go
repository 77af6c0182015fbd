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
		s, grown := m.orGrow(t)
		if s != nil || grown == nil {
			return s
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil
		}
	}
}

// orGrow returns a session that is not taken, or has one more made and returns what to wait for, if anything. A
// transfer, which goes on meanwhile, waits for one that is being made if those there are have enough to do.
func (m *manager) orGrow(t *taken) (*session, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, nil
	}
	others := slices.DeleteFunc(m.live(), func(s *session) bool {
		return slices.Contains(t.sessions, s) || s.full() || s.isStalled() || t.claim > 0 && s.claimed.Load() >= manyClaims
	})
	var s *session
	if len(others) > 0 {
		s = leastBusy(others)
	}
	if s == nil || t.claim > 0 && s.claimed.Load() >= inFlight/2 {
		m.grow(nil)
		if m.growing > 0 && (s == nil || !m.connecting) {
			return nil, m.grown
		}
	}
	if s == nil {
		return nil, nil
	}
	t.sessions = append(t.sessions, s)
	s.claimed.Add(t.claim)
	return s.begin(), nil
}

// alone has a session made which is taken for stalled from the start. It does not take the last place: others need one.
func (m *manager) alone(ctx context.Context) (*session, error) {
	made := make(chan *session, 1)
	m.mu.Lock()
	growing := !m.closed && len(m.live())+m.growing+1 < m.maxSessions && m.grow(func(s *session) {
		if s != nil {
			s.stall()
			s.begin()
		}
		made <- s
	})
	m.mu.Unlock()
	var s *session
	var err error
	if growing {
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

// Expect says that so many calls will be under way at a time before long. On a long line the channels for them are made
// meanwhile, which takes three round trips, or, where there is no connection yet, once there is: it does not connect. On a
// short one they are made when there is work for them.
func (f *Fs) Expect(calls int) {
	if m, ok := f.conns.(*manager); ok {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.expected = calls
		if !m.closed {
			m.growAsExpected()
		}
	}
}

// growAsExpected has sessions made for what is expected, if there is a connection to make them on. m.mu is held.
func (m *manager) growAsExpected() {
	connections := m.liveConnections()
	if len(connections) == 0 {
		return
	}
	if time.Duration(connections[0].roundTrip.Load()) >= longRoundTrip {
		m.growFor(m.live(), m.expected)
	}
	m.expected = 0
}

// growBeside has sessions made for what is expected while the first one on c still is.
func (m *manager) growBeside(c *connection) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.know(c)
		m.growAsExpected()
	}
}

// growFor has as many sessions made as are missing for a load, at the same time: one takes some round trips. m.mu is
// held.
func (m *manager) growFor(live []*session, load int) {
	have := m.growing
	for _, s := range live {
		if !s.isStalled() {
			have++
		}
	}
	for range min(load/crowd+1, m.maxSessions) - have {
		m.grow(nil)
	}
}

// loadOf is what sessions have to do that are not stalled.
func loadOf(sessions []*session) (sum int) {
	for _, s := range sessions {
		if !s.isStalled() {
			sum += int(s.load())
		}
	}
	return sum
}

// grow has one more session made, without waiting for it, if as many are not there yet and the server is not known to
// refuse; it tells whether that is so. first, if there is one, gets the session, or nil, before anybody else does. m.mu is
// held.
func (m *manager) grow(first func(*session)) bool {
	c, allowed := m.place()
	if !allowed {
		return false
	}
	m.growing++
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
		case c == nil: // MaxStartups, for one
			m.noMoreUntil = time.Now().Add(refusalStands)
		default: // MaxSessions, for one
			c.refuse()
		}
		if err != nil {
			s = nil
		}
		if first != nil {
			first(s)
		}
		m.haveGrown()
	})
	return true
}

// haveGrown tells those who wait that a session is there, or is not to be had. m.mu is held.
func (m *manager) haveGrown() {
	m.growing--
	close(m.grown)
	m.grown = make(chan struct{})
}

// place returns where another session may be made: the connection with the fewest, or nil for a new one.
func (m *manager) place() (c *connection, allowed bool) {
	connections := m.liveConnections()
	if len(m.live())+m.growing >= m.maxSessions {
		return nil, false
	}
	fewest := 0
	for _, candidate := range connections {
		if n := len(candidate.live()); candidate.takesMore() && (c == nil || n < fewest) {
			c, fewest = candidate, n
		}
	}
	if c != nil {
		return c, true
	}
	return nil, len(connections) > 0 && len(connections) < m.maxConnections && !m.connecting &&
		time.Now().After(m.noMoreUntil)
}

// shrink gives back what was not used since it was called last, all but the last session, and what is stalled.
func (m *manager) shrink() {
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
