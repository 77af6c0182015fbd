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

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A source hands out the sessions that calls run on.
type source interface {
	// get returns a live session, connecting if there is none, and the caller releases it. It ends with ctx.
	get(ctx context.Context) (*session, error)
	// another is get for a session that is not taken, which then is. It returns nil if there is none and no more can
	// be had.
	another(ctx context.Context, t *taken) *session
	// alone is get for a new session that nobody else gets. It returns nil if there can be none.
	alone(ctx context.Context) (*session, error)
	// close ends what the source owns. get then fails with fs.ErrClosed.
	close()
}

// taken are the sessions that someone has who wants different ones.
type taken struct {
	sessions []*session // guarded by manager.mu
	claim    int64      // bytes that a transfer claims on each further one, and gives back; 0: it is for a call
}

// An opener does for a manager what goes over the network.
type opener interface {
	// connect makes a connection, with a session on it. opened is called when that has its channel, and others can be
	// made beside it.
	connect(ctx context.Context, opened func(*connection)) (*session, error)
	// extend makes another session on a connection, which the server may refuse.
	extend(ctx context.Context, c *connection) (*session, error)
}

const (
	// The failure of an attempt to connect answers for the calls that follow: firstPause long, then twice as long after
	// each attempt that fails, up to lastPause, less a random part of up to a half, so that not all who have lost a
	// server come back at the same time.
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second

	// busyLoad is how many calls and open files a session has before another one is made for more.
	busyLoad = 32

	// scaleUpWait is how long a call waits for a session that is being made while those there are have as much to do
	// as they can. A channel is there after three round trips.
	scaleUpWait = 2 * time.Second

	// refusalStands is how long no further connection is tried after one has failed, while there is one that works.
	refusalStands = time.Minute
)

// A manager is the source that connects by itself. Sessions are shared, not lent: any number of calls run on one and
// any number of files are open on it, as far as its wire and the server allow. So nobody waits for a session to become
// free, whatever is open.
type manager struct {
	opener
	maxConnections, maxSessions int
	random                      func() float64 // in [0, 1)

	ctx  context.Context // ends with the manager
	stop context.CancelFunc
	wg   sync.WaitGroup // everything that it has started

	mu          sync.Mutex // guards the following; never held while connecting
	closed      bool
	connections []*connection // lost ones too, until they are looked for
	attempt     *attempt      // nil: none runs
	unsure      *attempt      // the last one, whose session may yet turn out to be none; nil: that is known
	failures    int           // attempts in a row
	failure     error         // of the last attempt, answers until retryAt
	retryAt     time.Time
	expected    int           // calls, for which sessions are to be made
	starting    int           // sessions that are being made
	connecting  bool          // for one of them, which the others then may share
	started     chan struct{} // closed, and replaced, when one of them is there or is not to be had
	noMoreUntil time.Time     // connections
}

// An attempt to connect, shared by all who wait for it. The error may be read once done is closed.
type attempt struct {
	done chan struct{}
	err  error
}

func newManager(o opener, maxConnections, maxSessions int) *manager {
	m := &manager{opener: o, maxConnections: maxConnections, maxSessions: maxSessions, random: rand.Float64}
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

// sessionOrAttempt returns a live session, or the attempt to wait for, or the error that is known without one. Who is patient is not
// put behind so many others on a session that another one will be there before it is his turn.
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
		if patient && m.starting > 0 && (s.isStalled() || s.load() >= wire.MaxRequests && !m.connecting) {
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

// connectFor runs the attempt. It belongs to all who wait for it and so ends with the manager, not with a caller.
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

// confirm notes whether the attempt that has made s has failed. Calls begin before that is known.
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

// failed notes that an attempt has. m.mu is held.
func (m *manager) failed(err error, now time.Time) {
	m.failure, m.retryAt = err, now.Add(pause(err, m.failures, m.random()))
	m.failures++
}

// reach returns a session on a connection whose sessions have ended, if there is such a one, else on a new one.
func (m *manager) reach() (*session, error) {
	m.mu.Lock()
	live := m.liveConnections()
	m.mu.Unlock()
	for _, c := range live {
		if s, err := m.extend(m.ctx, c); err == nil {
			return s, nil
		}
		c.fail(errors.New("it takes no more channels, and has none")) // and is of no use
	}
	return m.connect(m.ctx, m.scaleUpBeside)
}

// adopt takes a session that was made.
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

// pause returns how long to let the failure of an attempt stand after so many before. Credentials that were refused
// are not offered in a loop.
func pause(err error, failures int, random float64) time.Duration {
	if errors.Is(err, ErrAuth) || errors.Is(err, ErrHostKey) {
		return lastPause
	}
	full := min(firstPause<<min(failures, 30), lastPause)
	return full - time.Duration(random/2*float64(full))
}

// liveConnections drops the lost ones.
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

// burden is the load with what transfers have to do besides, a packet of theirs being as much as a call.
func (s *session) burden() int64 { return s.load() + s.claimed.Load()/packet }

// begin begins a call, which release ends.
func (s *session) begin() *session {
	s.calls.Add(1)
	s.used.Store(true)
	return s
}

// leastBusy passes over sessions that are stalled, or take no more files, if there are others.
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
	m.live() // ends them
	m.mu.Unlock()
	m.wg.Wait()
	m.mu.Lock()
	m.live() // what was made meanwhile
	m.mu.Unlock()
	m.wg.Wait()
}
