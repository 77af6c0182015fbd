package sftpfs

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// A connection is one SSH connection with the sessions on it. Once lost, it never comes back.
type connection struct {
	addr string // for messages

	// nil if the client belongs to the program.
	conn *liveConn
	ssh  *ssh.Client
	via  *connection // to the jump host through which this one runs; nil: none

	roundTrip atomic.Int64 // the shortest seen, in nanoseconds; 0: not known yet

	once  sync.Once
	lost  chan struct{} // closed by fail
	cause error         // why; set before lost is closed

	mu       sync.Mutex // guards the following
	sessions []*session // lost ones, too, until live removes them
	refuses  bool       // the server accepts no further session
	ended    bool

	wg sync.WaitGroup // its own goroutines and those of its sessions
}

func newConnection(addr string) *connection {
	return &connection{addr: addr, lost: make(chan struct{})}
}

// fail ends the connection. It closes the network connection, which releases the calls that wait on it. If requests are
// unanswered, what has not left this machine is discarded: the callers learn that the outcome is unknown and will look
// for it, so nothing may be sent later.
func (c *connection) fail(cause error) {
	c.once.Do(func() {
		c.cause = cause
		close(c.lost)
		if c.conn == nil {
			return
		}
		if c.awaitsAnswers() {
			_ = c.conn.SetLinger(0) // if that is not possible, the system goes on sending for a while
		}
		c.conn.Close()
	})
}

// awaitsAnswers reports whether a request is unanswered.
func (c *connection) awaitsAnswers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.sessions, func(s *session) bool { return s.wire != nil && s.wire.Unanswered() > 0 })
}

func (c *connection) isLost() bool { return isClosed(c.lost) }

// isClosed reports whether c, on which nothing is sent, is closed. A select of more than one channel would take locks.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// saysOpenSSH reports whether the SSH server says that it is OpenSSH's. See session.isOpenSSH for the SFTP server.
func (c *connection) saysOpenSSH() bool {
	return strings.HasPrefix(string(c.ssh.ServerVersion()), "SSH-2.0-OpenSSH")
}

// saysModSFTP reports whether the server says that it is ProFTPD's mod_sftp.
func (c *connection) saysModSFTP() bool {
	return strings.Contains(string(c.ssh.ServerVersion()), "mod_sftp")
}

// openFirst opens the first channel. It avoids a delay of 40 ms.
//
// Before OpenSSH starts a session, it leaves Nagle's algorithm on. So its answer waits until the data that it has sent
// unasked after the login is acknowledged. Linux delays that acknowledgement for 40 ms, unless it can go out with other
// data. openFirst therefore sends a small packet when something arrives.
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

// run runs f in a goroutine of the connection, unless the connection has ended.
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
		c.ssh.Close() // the error says only that the connection is closed
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

// refuse records that the server accepts no further session.
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

// measured records how long a round trip took. The shortest one counts.
func (c *connection) measured(took time.Duration) {
	for {
		old := c.roundTrip.Load()
		if old != 0 && old <= int64(took) || c.roundTrip.CompareAndSwap(old, max(1, int64(took))) {
			return
		}
	}
}
