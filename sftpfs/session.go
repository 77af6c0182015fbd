package sftpfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A session is one SFTP channel on a connection. Once lost, it never comes back; another session takes its place.
type session struct {
	client  *sftp.Client
	wire    *wire.Wire // nil if client belongs to the program
	conn    *connection
	root    string // Config.Root on the server, absolute and clean
	openSSH bool   // according to the SSH version
	modSFTP bool   // ditto
	learnt  *learnt

	judge      sync.Once
	proven     bool // the SFTP server is OpenSSH's own; set by judge
	generation int  // for learnt.requests

	calls  atomic.Int64                // running on it
	files  atomic.Int64                // open on it
	keeps  atomic.Int64                // of those, the ones that are not being closed
	limit  atomic.Int64                // of files, as stated or found out; 0: unknown
	limits atomic.Pointer[wire.Limits] // as stated by the server
	used   atomic.Bool                 // since the last scaleDown

	claimed atomic.Int64 // bytes that transfers want in flight on it

	stalled atomic.Pointer[ending]       // ends when there was no answer for long; then the session gets no more calls
	blocker atomic.Pointer[wire.Pending] // the unanswered request; set before stalled ends, nil if unknown
	givenUp atomic.Bool                  // because of blocker

	once  sync.Once
	lost  chan struct{} // closed by fail
	cause error         // set before lost is closed
	ended chan struct{} // closed when no call waits on it any more
}

func newSession(client *sftp.Client, conn *connection, l *learnt) *session {
	s := &session{
		client: client, conn: conn, learnt: l, generation: l.requests.generation(),
		lost: make(chan struct{}), ended: make(chan struct{}),
	}
	s.takeCalls()
	s.limits.Store(new(wire.Limits))
	return s
}

// resolve sets root to the path on the server. A relative root starts at the login directory.
func (s *session) resolve(root string) error {
	s.root = path.Clean(root)
	if strings.HasPrefix(root, "/") {
		return nil
	}
	login, err := s.client.RealPath(".")
	if err = s.reduce(err); err != nil {
		return fmt.Errorf("login directory: %w (Root %q is relative to it; an absolute one needs no answer)", err, root)
	}
	s.root = path.Join("/", login, root)
	return nil
}

// watch waits until the session's channel has ended, and fails the session then.
func (s *session) watch() {
	defer close(s.ended)
	err := s.client.Wait()
	if err == nil {
		err = errors.New("closed by the server")
	}
	s.fail(err)
	s.wire.AwaitWrites()
	waiting := s.wire.Unanswered()
	if s.isEndedHere() {
		waiting = 0
	}
	s.learnt.requests.ended(s.generation, s.wire.Depth(), waiting)
}

// isEndedHere reports whether a lost session was not needed any more.
func (s *session) isEndedHere() bool {
	cause := s.cause
	if s.conn.isLost() {
		cause = s.conn.cause
	}
	return errors.Is(cause, fs.ErrClosed) || errors.Is(cause, errIdle)
}

// fail marks the session as lost. Calls report the first cause.
func (s *session) fail(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.lost)
		s.learnt.files.forget(s)
	})
}

func (s *session) isLost() bool { return isClosed(s.lost) || s.conn.isLost() }

// An ending is an event to wait for.
type ending struct {
	context.Context
	end context.CancelFunc
}

// takeCalls ends the stalled state: the session gets calls again.
func (s *session) takeCalls() {
	ctx, cancel := context.WithCancel(context.Background())
	s.blocker.Store(nil)
	s.stalled.Store(&ending{ctx, cancel})
}

func (s *session) stall() { s.stalled.Load().end() }

func (s *session) isStalled() bool { return s.stalled.Load().Err() != nil }

// giveUp ends a session whose requests are no longer answered. The other sessions on its connection go on. But if a
// call is still waiting after patience, because the server takes no more of what it sends, giveUp fails the connection.
func (s *session) giveUp(blocker wire.Pending, cause error, patience time.Duration) {
	s.blocker.Store(&blocker)
	s.givenUp.Store(true)
	s.fail(cause)
	s.conn.run(func() {
		s.wire.Close()
		late := time.NewTimer(patience)
		defer late.Stop()
		select {
		case <-s.ended:
		case <-s.conn.lost:
		case <-late.C:
			s.conn.fail(cause)
		}
	})
}

// release ends a call that begin has registered.
func (s *session) release() { s.calls.Add(-1) }

// full reports whether the server is known to refuse another open file.
func (s *session) full() bool {
	limit := s.limit.Load()
	return limit > 0 && s.files.Load() >= limit
}

// hasPlenty reports whether the server is known to have at least as many handles left as are in use.
func (s *session) hasPlenty() bool { return 2*s.files.Load() <= s.limit.Load() }

// askLimits asks for the server's limits. The request is sent together with the next one, and no call waits for the
// answer.
func (s *session) askLimits() {
	_ = s.wire.Enqueue(func(_ int, r wire.Reply) {
		if limits, err := r.Limits(); err == nil {
			s.limits.Store(&limits)
			s.limit.Store(limits.Files)
		}
	}, wire.AskLimits())
}

// packet returns the size of packets to use.
func (s *session) packet() int {
	return packetSize(*s.limits.Load(), time.Duration(s.conn.roundTrip.Load()))
}

// initialized reports whether the server's VERSION packet has arrived.
func (s *session) initialized() bool { return s.wire == nil || s.wire.Initialized() }

// awaitInit waits for the server's VERSION packet. It returns an error if the session is lost first.
func (s *session) awaitInit() error {
	if s.initialized() { // it may have been lost since
		return nil
	}
	select {
	case <-s.wire.InitDone():
		return nil
	case <-s.lost:
	case <-s.conn.lost:
	}
	return s.unavailable(errors.New("lost before SFTP had started"))
}

// boundInit fails the connection if the server's VERSION packet has not arrived after the time left.
func (s *session) boundInit(left time.Duration) {
	late := time.NewTimer(left)
	defer late.Stop()
	select {
	case <-s.wire.InitDone():
	case <-s.lost:
	case <-s.conn.lost:
	case <-late.C:
		s.conn.fail(errors.New("SFTP did not start in time"))
	}
}

// offers reports whether the server offers the extension. It waits for the server's VERSION packet, and returns false
// if the session is lost first.
func (s *session) offers(extension string) bool {
	if s.wire == nil {
		_, ok := s.client.HasExtension(extension)
		return ok
	}
	if s.awaitInit() != nil {
		return false
	}
	_, ok := s.wire.Extensions()[extension]
	return ok
}

// announced returns the data with which the server offers the extension, "" if it does not, or the session is lost
// first.
func (s *session) announced(extension string) string {
	if s.wire == nil {
		data, _ := s.client.HasExtension(extension)
		return data
	}
	_ = s.awaitInit()
	return s.wire.Extensions()[extension]
}

// unavailable fails the session for err, and returns ErrUnavailable with the text of the first cause, or fs.ErrClosed.
// The cause is not wrapped: it could match a sentinel that stands for an answer of the server. Its text may be the
// server's.
func (s *session) unavailable(err error) error {
	if s.wire != nil {
		err = s.wire.Explain(err)
	}
	s.fail(err)
	cause := s.cause
	if s.conn.isLost() && !s.givenUp.Load() { // the channel ended because the connection did
		cause = s.conn.cause
	}
	if errors.Is(cause, fs.ErrClosed) {
		return fs.ErrClosed
	}
	return fmt.Errorf("%w: %s: %s", ErrUnavailable, s.conn.addr, printable(cause.Error(), maxCause))
}
