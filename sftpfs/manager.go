package sftpfs

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"
)

// A source hands out the session that a call runs on.
type source interface {
	// get returns a live session, connecting if there is none. It ends with ctx.
	get(ctx context.Context) (*session, error)
	// close ends what the source owns. get then fails with fs.ErrClosed.
	close()
}

// maxPause bounds how long the failure of an attempt to connect answers for the calls that follow.
const maxPause = time.Second

// A manager is the source that connects by itself: one session at a time, replaced when it is lost.
type manager struct {
	dial func(context.Context) (*session, error)
	ctx  context.Context // ends with the manager
	stop context.CancelFunc
	wg   sync.WaitGroup // the attempt

	mu      sync.Mutex // guards the following; never held while connecting
	closed  bool
	current *session // may be lost
	attempt *attempt // nil: none runs
	failure error    // of the last attempt, answers until retryAt
	retryAt time.Time
}

// An attempt to connect, shared by all who wait for it. The results may be read once done is closed.
type attempt struct {
	done    chan struct{}
	session *session
	err     error
}

func newManager(dial func(context.Context) (*session, error)) *manager {
	m := &manager{dial: dial}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

func (m *manager) get(ctx context.Context) (*session, error) {
	a, s, err := m.join()
	if a == nil {
		return s, err
	}
	select {
	case <-a.done:
		return a.session, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join returns the live session, or the attempt to wait for, or the error that is known without one.
func (m *manager) join() (*attempt, *session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return nil, nil, fs.ErrClosed
	case m.current != nil && !m.current.isLost():
		return nil, m.current, nil
	case m.attempt == nil && m.failure != nil && time.Now().Before(m.retryAt):
		return nil, nil, m.failure
	case m.attempt == nil:
		m.attempt = &attempt{done: make(chan struct{})}
		m.wg.Add(1)
		go m.connect(m.attempt)
	}
	return m.attempt, nil, nil
}

// connect runs the attempt. It belongs to all who wait for it and so ends with the manager, not with a caller.
func (m *manager) connect(a *attempt) {
	defer m.wg.Done()
	began := time.Now()
	a.session, a.err = m.dial(m.ctx)
	now := time.Now()

	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempt = nil
	switch {
	case m.closed:
		m.current, a.session, a.err = a.session, nil, fs.ErrClosed
	case a.err != nil:
		m.failure, m.retryAt = a.err, now.Add(pause(a.err, now.Sub(began)))
	default:
		m.current, m.failure = a.session, nil
	}
	close(a.done)
}

// pause returns how long to let the failure of an attempt stand. One that was cheap, like a port where nobody
// listens, may be tried again soon; credentials that were refused are not offered in a loop.
func pause(err error, took time.Duration) time.Duration {
	if errors.Is(err, ErrAuth) || errors.Is(err, ErrHostKey) {
		return maxPause
	}
	return min(10*took, maxPause)
}

func (m *manager) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.stop()
	m.wg.Wait()
	m.mu.Lock()
	s := m.current
	m.current = nil
	m.mu.Unlock()
	if s != nil {
		s.close()
	}
}
