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

// A session is one SFTP channel on a connection. It never comes back: once lost, another takes its place.
type session struct {
	client  *sftp.Client
	wire    *wire.Wire // nil where client belongs to the program
	conn    *connection
	root    string // Config.Root on the server, absolute and clean
	openSSH bool   // by the version of SSH

	calls  atomic.Int64                // that run on it
	files  atomic.Int64                // that are open on it
	limit  atomic.Int64                // of files, as learnt; 0: none known
	limits atomic.Pointer[wire.Limits] // as stated
	used   atomic.Bool                 // since the manager last looked

	claimed atomic.Int64 // bytes that transfers would like to have under way on it

	stalled atomic.Pointer[ending]       // ends when there was no answer for long; then the session takes no more calls
	blocker atomic.Pointer[wire.Pending] // what is not answered; set before stalled ends, nil if nothing is known
	givenUp atomic.Bool                  // because of that

	once  sync.Once
	lost  chan struct{} // closed by fail
	cause error         // why; set before lost is closed
	ended chan struct{} // closed when no call waits on it any more
}

func newSession(client *sftp.Client, conn *connection) *session {
	s := &session{client: client, conn: conn, lost: make(chan struct{}), ended: make(chan struct{})}
	s.takeCalls()
	s.limits.Store(new(wire.Limits))
	return s
}

// resolve finds where root is on the server. What is not absolute is taken from the login directory.
func (s *session) resolve(root string) error {
	s.root = path.Clean(root)
	if strings.HasPrefix(root, "/") {
		return nil
	}
	login, err := s.client.RealPath(".")
	if err != nil {
		return s.reduce(err)
	}
	s.root = path.Join("/", login, root)
	return nil
}

// watch fails the session when its channel ends, and returns when it has.
func (s *session) watch() {
	defer close(s.ended)
	err := s.client.Wait()
	if err == nil {
		err = errors.New("closed by the server")
	}
	s.fail(err)
	s.wire.AwaitWrites()
}

// fail marks the session as lost. The first cause is the one that calls report.
func (s *session) fail(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.lost)
	})
}

func (s *session) isLost() bool { return isClosed(s.lost) || s.conn.isLost() }

// An ending is what can be waited for.
type ending struct {
	context.Context
	end context.CancelFunc
}

// takeCalls ends that the session is stalled.
func (s *session) takeCalls() {
	ctx, cancel := context.WithCancel(context.Background())
	s.blocker.Store(nil)
	s.stalled.Store(&ending{ctx, cancel})
}

func (s *session) stall() { s.stalled.Load().end() }

func (s *session) isStalled() bool { return s.stalled.Load().Err() != nil }

// giveUp ends a session that is not answered any more, and lets the others on its connection be. Where a call goes on waiting,
// since the server takes nothing more of what it sends, the connection ends when it has been patient.
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

// release ends a call that manager.get began.
func (s *session) release() { s.calls.Add(-1) }

// full tells whether the server is known to refuse another open file.
func (s *session) full() bool {
	limit := s.limit.Load()
	return limit > 0 && s.files.Load() >= limit
}

// hasPlenty tells whether the server is known to have at least as many handles left as are in use.
func (s *session) hasPlenty() bool { return 2*s.files.Load() <= s.limit.Load() }

// askLimits asks for the limits of the server. The request goes out with the next one, and nobody waits for the answer.
func (s *session) askLimits() {
	_ = s.wire.Enqueue(func(_ int, r wire.Reply) {
		if limits, err := r.Limits(); err == nil {
			s.limits.Store(&limits)
			s.limit.Store(limits.Files)
		}
	}, wire.AskLimits())
}

// packet returns how large packets are to be.
func (s *session) packet() int {
	return packetSize(*s.limits.Load(), time.Duration(s.conn.roundTrip.Load()))
}

// initialized tells whether the server has said what it offers.
func (s *session) initialized() bool { return s.wire == nil || s.wire.Initialized() }

// awaitInit waits until the server has said what it offers. The error says why that does not come.
func (s *session) awaitInit() error {
	if s.initialized() { // and perhaps was lost since
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

// boundInit ends the connection if the server has not said what it offers when the time is up.
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

// offers tells whether the server has the extension. That of a session which is lost before this is known has none.
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

// hasFiles tells whether what the server serves are files, which take writes in any order through any handle. One that
// can put them on its disk is taken to have some; what others serve may be objects that are only ever written in a row.
func (s *session) hasFiles() bool {
	return s.offers(wire.ExtensionFsync)
}

// unavailable ends the session for err, and says so in the words of the first cause. That cause is not wrapped: it
// could match a sentinel that means an answer of the server.
func (s *session) unavailable(err error) error {
	if s.wire != nil {
		err = s.wire.Explain(err)
	}
	s.fail(err)
	cause := s.cause
	if s.conn.isLost() && !s.givenUp.Load() { // which is why the channel ended
		cause = s.conn.cause
	}
	if errors.Is(cause, fs.ErrClosed) {
		return fs.ErrClosed
	}
	return fmt.Errorf("%w: %s: %v", ErrUnavailable, s.conn.addr, cause)
}
