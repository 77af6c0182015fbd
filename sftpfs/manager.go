package sftpfs

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// A source provides the sessions on which calls run.
type source interface {
	// get returns a live session, and connects if there is none. It fails with ctx's error if ctx ends first. The
	// caller releases the session.
	get(ctx context.Context) (*session, error)
	// another returns a live session that is not in t, and adds it to t. It returns nil if there is none and no more
	// can be started. The caller releases the session.
	another(ctx context.Context, t *taken) *session
	// alone starts a session that no other call gets, and returns it. It returns nil if there can be none. The caller
	// releases the session.
	alone(ctx context.Context) (*session, error)
	// close closes what the source owns. Then get fails with fs.ErrClosed.
	close()
}

// taken lists the sessions that a caller already has, when it wants a different one.
type taken struct {
	sessions []*session // guarded by manager.mu
	claim    int64      // bytes that a transfer claims on each further session, and gives back itself; 0: for a call
}

// An opener does the network part of a manager's work.
type opener interface {
	// connect opens a connection with a session on it. It calls opened when the channel of that session is open, and
	// further channels can be opened beside it.
	connect(ctx context.Context, opened func(*connection)) (*session, error)
	// extend opens another session on a connection. The server may refuse it.
	extend(ctx context.Context, c *connection) (*session, error)
}

const (
	// After a failed attempt to connect, calls fail at once with its error: for firstPause, then for twice as long
	// after each further failure, up to lastPause. A random part of up to a half is subtracted, so that not all clients
	// that have lost a server come back at the same time.
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second

	// busyLoad is how many calls and open files a session has before another session is started.
	busyLoad = 32

	// scaleUpWait is how long a call waits for a session that is being started while the existing ones have as much to
	// do as they can. A channel is open after three round trips.
	scaleUpWait = 2 * time.Second

	// refusalStands is how long no further connection is tried after one has failed, while another connection works.
	refusalStands = time.Minute
)

// A manager is the source that connects by itself. Sessions are shared, not lent: any number of calls run on a session,
// and any number of files are open on it, as far as its wire and the server allow. So no call waits until a session
// becomes free, however many files are open.
type manager struct {
	opener
	maxConnections, maxSessions int
	learnt                      *learnt
	random                      func() float64 // in [0, 1)

	ctx  context.Context // ends when the manager is closed
	stop context.CancelFunc
	wg   sync.WaitGroup // everything that the manager has started

	mu          sync.Mutex // guards the following; never held while connecting
	closed      bool
	connections []*connection // lost ones, too, until liveConnections removes them
	attempt     *attempt      // nil: none is running
	unsure      *attempt      // the last attempt, while its session waits for VERSION; nil: none
	failures    int           // consecutive failed attempts
	failure     error         // of the last attempt; calls fail with it until retryAt
	retryAt     time.Time
	expected    int           // calls for which sessions are to be started; see Expect
	starting    int           // sessions that are being started
	connecting  bool          // one of them opens a connection, which the others may share later
	started     chan struct{} // closed and replaced when one of them is open or has failed
	noMoreUntil time.Time     // no further connection before that time
}

// An attempt to connect is shared by all calls that wait for it. err is set before done is closed.
type attempt struct {
	done chan struct{}
	err  error
}

func newManager(o opener, l *learnt, maxConnections, maxSessions int) *manager {
	m := &manager{opener: o, maxConnections: maxConnections, maxSessions: maxSessions, learnt: l, random: rand.Float64}
	m.started = make(chan struct{})
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

func (m *manager) get(ctx context.Context) (*session, error) {
	for patient := true; ; {
		s, a, err := m.sessionOrAttempt(patient)
		if a == nil {
			return s, err
		}
		select {
		case <-a.done:
			if a.err != nil {
				return nil, a.err
			}
		case <-time.After(scaleUpWait):
			patient = false
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// sessionOrAttempt returns a live session, or an attempt to wait for, or an error that is known at once. If a session
// is being started, a patient call waits for it rather than queue on a session that is too busy or stalled.
func (m *manager) sessionOrAttempt(patient bool) (*session, *attempt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, nil, fs.ErrClosed
	}
	if live := m.live(); len(live) > 0 {
		s := leastBusy(live)
		if s.load() >= busyLoad || s.isStalled() {
			m.scaleUpTo(live, loadOf(live))
		}
		if patient && m.starting > 0 && (s.isStalled() || s.load() >= int64(m.learnt.requests.most()) && !m.connecting) {
			return nil, &attempt{done: m.started}, nil
		}
		return s.begin(), nil, nil
	}
	switch {
	case m.unsure != nil:
		return nil, m.unsure, nil
	case m.attempt != nil:
	case m.failure != nil && time.Now().Before(m.retryAt):
		return nil, nil, m.failure
	default:
		m.attempt = &attempt{done: make(chan struct{})}
		m.starting++
		a := m.attempt
		m.wg.Go(func() { m.connectFor(a) })
	}
	return nil, m.attempt, nil
}

// connectFor runs the attempt. The attempt belongs to all calls that wait for it, so it ends with the manager and not
// with a call.
func (m *manager) connectFor(a *attempt) {
	s, err := m.reach()
	now := time.Now()

	m.mu.Lock()
	defer m.mu.Unlock()
	defer close(a.done)
	m.attempt = nil
	m.scaledUp()
	if a.err = m.adopt(s, err); a.err != nil {
		m.failed(a.err, now)
		return
	}
	m.scaleUpAsExpected()
	if s.initialized() {
		m.failures, m.failure = 0, nil
		return
	}
	unsure := &attempt{done: make(chan struct{})}
	m.unsure = unsure
	m.wg.Go(func() { m.confirm(s, unsure) })
}

// confirm waits until it is known whether the attempt that has made s succeeded. Calls begin before that.
func (m *manager) confirm(s *session, unsure *attempt) {
	err := s.awaitInit()
	m.mu.Lock()
	defer m.mu.Unlock()
	defer close(unsure.done)
	m.unsure, unsure.err = nil, err
	if err == nil {
		m.failures, m.failure = 0, nil
	} else {
		m.failed(err, time.Now())
	}
}

// failed records a failed attempt. m.mu is held.
func (m *manager) failed(err error, now time.Time) {
	m.failure, m.retryAt = err, now.Add(pause(err, m.failures, m.random()))
	m.failures++
}

// reach returns a session on a live connection whose sessions have ended or, if there is none, on a new connection.
func (m *manager) reach() (*session, error) {
	m.mu.Lock()
	live := m.liveConnections()
	m.mu.Unlock()
	for _, c := range live {
		if !m.learnt.channels.only() {
			if s, err := m.extend(m.ctx, c); err == nil {
				return s, nil
			}
		}
		c.fail(errors.New("it takes no more channels, and has none")) // and is of no use
	}
	return m.connect(m.ctx, m.scaleUpBeside)
}

// adopt registers the session s that was started, unless err says that it failed. If the manager is closed, it ends the
// session. m.mu is held.
func (m *manager) adopt(s *session, err error) error {
	if err == nil && m.closed {
		s.conn.fail(fs.ErrClosed)
		err = fs.ErrClosed
	}
	if s != nil {
		s.conn.add(s)
		m.know(s.conn)
	}
	if m.closed {
		return fs.ErrClosed
	}
	return err
}

func (m *manager) know(c *connection) {
	if !slices.Contains(m.connections, c) {
		m.connections = append(m.connections, c)
	}
}

// pause returns how long the failure of an attempt stands, after so many consecutive failures before it. random is in
// [0, 1). Refused credentials and host keys always pause for lastPause, so that they are not tried in a tight loop.
func pause(err error, failures int, random float64) time.Duration {
	if errors.Is(err, ErrAuth) || errors.Is(err, ErrHostKey) {
		return lastPause
	}
	full := min(firstPause<<min(failures, 30), lastPause)
	return full - time.Duration(random/2*float64(full))
}

// liveConnections returns the connections that are not lost. It forgets the lost ones and ends them. m.mu is held.
func (m *manager) liveConnections() []*connection {
	m.connections = slices.DeleteFunc(m.connections, func(c *connection) bool {
		if !c.isLost() {
			return false
		}
		m.wg.Go(c.end)
		return true
	})
	return m.connections
}

func (m *manager) live() []*session {
	var live []*session
	for _, c := range m.liveConnections() {
		live = append(live, c.live()...)
	}
	return live
}

func (s *session) load() int64 { return s.calls.Load() + s.files.Load() }

// burden is the load plus what transfers have to do. A packet of a transfer counts like a call.
func (s *session) burden() int64 { return s.load() + s.claimed.Load()/packet }

// begin registers a call. release ends it.
func (s *session) begin() *session {
	s.calls.Add(1)
	s.used.Store(true)
	return s
}

// leastBusy returns the session with the smallest burden. It prefers sessions that are neither stalled nor full.
func leastBusy(sessions []*session) *session {
	rank := func(s *session) int {
		switch {
		case s.isStalled():
			return 2
		case s.full():
			return 1
		}
		return 0
	}
	return slices.MinFunc(sessions, func(a, b *session) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.burden(), b.burden()))
	})
}

func (m *manager) close() {
	m.mu.Lock()
	m.closed = true
	for _, c := range m.connections {
		c.fail(fs.ErrClosed)
	}
	m.mu.Unlock()
	m.stop()
	m.mu.Lock()
	m.live() // ends the lost ones
	m.mu.Unlock()
	m.wg.Wait()
	m.mu.Lock()
	m.live() // ends what was made meanwhile
	m.mu.Unlock()
	m.wg.Wait()
}
