package sftpfs

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// A connection is one SSH connection with the sessions on it. Like them, it never comes back.
type connection struct {
	addr string // for messages

	// Nil where the client belongs to the program.
	conn *liveConn
	ssh  *ssh.Client
	via  *connection // to another host, which this one runs through; nil: none

	roundTrip atomic.Int64 // the shortest seen, in nanoseconds; 0: not known yet

	once  sync.Once
	lost  chan struct{} // closed by fail
	cause error         // why; set before lost is closed

	mu       sync.Mutex // guards the following
	sessions []*session // lost ones too, until they are looked for
	refuses  bool       // another session
	ended    bool

	wg sync.WaitGroup // its own goroutines and those of its sessions
}

func newConnection(addr string) *connection {
	return &connection{addr: addr, lost: make(chan struct{})}
}

// fail ends the connection. Closing what it runs over is what releases the calls that wait on it. Requests without an answer
// that have not left this machine never do: the caller is told that their outcome is unknown, and will look for it.
func (c *connection) fail(cause error) {
	c.once.Do(func() {
		c.cause = cause
		close(c.lost)
		if c.conn == nil {
			return
		}
		if c.awaitsAnswers() {
			_ = c.conn.SetLinger(0) // where that is not possible, the system goes on sending for a while
		}
		c.conn.Close()
	})
}

// awaitsAnswers tells whether there are requests without an answer.
func (c *connection) awaitsAnswers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.sessions, func(s *session) bool { return s.wire != nil && s.wire.Unanswered() > 0 })
}

func (c *connection) isLost() bool { return isClosed(c.lost) }

// isClosed tells whether a channel on which nothing is sent is closed. A select of more than one would take locks.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// isOpenSSH tells whether the server says that it is OpenSSH.
func (c *connection) isOpenSSH() bool {
	return strings.HasPrefix(string(c.ssh.ServerVersion()), "SSH-2.0-OpenSSH")
}

// openFirst opens the first channel.
//
// Before it starts a session, OpenSSH leaves it to Nagle's algorithm when what it sends goes out: its answer waits until
// what it has sent unasked after the login is acknowledged. The system here would take 40 ms for that (Linux), unless
// something is sent that the acknowledgement can go with.
func (c *connection) openFirst() (ssh.Channel, <-chan *ssh.Request, error) {
	acknowledge := func() {
		c.run(func() { _, _, _ = c.ssh.SendRequest(keepAliveRequest, false, nil) })
	}
	c.conn.onRead.Store(&acknowledge)
	defer c.conn.onRead.Store(nil)
	return c.openChannel()
}

func (c *connection) openChannel() (ssh.Channel, <-chan *ssh.Request, error) {
	return c.ssh.OpenChannel("session", nil)
}

// run runs f as a goroutine of the connection's, unless that has ended.
func (c *connection) run(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.wg.Go(f)
	}
}

// end waits for the goroutines of a connection that has failed.
func (c *connection) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	if c.ssh != nil {
		c.ssh.Close() // whose errors say that the connection is closed
	}
	c.wg.Wait()
	if c.via != nil {
		c.via.end()
	}
}

func (c *connection) add(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions = append(c.sessions, s)
}

// live returns the sessions that are not lost.
func (c *connection) live() []*session {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions = slices.DeleteFunc(c.sessions, (*session).isLost)
	return slices.Clone(c.sessions)
}

// refuse notes that the server takes no more sessions than there are.
func (c *connection) refuse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuses = true
}

func (c *connection) takesMore() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.refuses
}

// measured notes how long a round trip took.
func (c *connection) measured(took time.Duration) {
	for {
		old := c.roundTrip.Load()
		if old != 0 && old <= int64(took) || c.roundTrip.CompareAndSwap(old, max(1, int64(took))) {
			return
		}
	}
}
