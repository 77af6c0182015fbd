package sftpfs

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"sync/atomic"
	"time"
)

// looks is how often keepAlive looks at a connection within IdleTimeout. The third consecutive look that finds it
// silent ends it: the last byte may have arrived almost one interval before the look that noticed it.
const looks = 4

// keepAliveRequest is a request that every SSH server answers if an answer is wanted. OpenSSH's client sends it, too.
const keepAliveRequest = "keepalive@openssh.com"

// A liveConn counts the bytes that arrive: any byte is a sign of life, not only an answer.
type liveConn struct {
	net.Conn
	received   atomic.Uint64
	identified atomic.Bool            // an SSH server answers: the first byte is like that of its identification
	onRead     atomic.Pointer[func()] // called after each read of data
}

func (c *liveConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.received.Add(uint64(n)) == uint64(n) && n > 0 && b[0] == 'S' {
		c.identified.Store(true)
	}
	if f := c.onRead.Load(); f != nil && n > 0 {
		(*f)()
	}
	if err != nil {
		_ = c.Conn.Close() // ends a Write for which the reader may have to wait
	}
	return n, err
}

// SetLinger sets what happens to unsent bytes when the connection is closed, like [net.TCPConn.SetLinger].
func (c *liveConn) SetLinger(seconds int) error {
	if conn, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		return conn.SetLinger(seconds)
	}
	return errors.ErrUnsupported
}

// A pulse is how keepAlive observes and probes a connection.
type pulse struct {
	received func() uint64 // bytes that arrived on the connection
	// probe sends a request that every SSH server answers, and returns when it is answered.
	probe func()
	// ask sends an SFTP request on the session, and returns when it is answered.
	ask func(*session)
	// look is called at each look.
	look func()
}

// keepAlive fails the connection if nothing arrives for IdleTimeout while an answer is due, and gives up a session for
// which that is so. It probes what is silent, so that an answer is always due. It sends no second probe while one is
// unanswered, because that would wait behind the first. It returns when the connection is lost.
//
// A session is stalled if the connection has answered a probe that was sent after the request for which the session
// waits. A merely slow network would delay both. New calls avoid a stalled session until it answers something. If it
// stays silent, it is given up.
func (c *connection) keepAlive(idle time.Duration, p pulse) {
	tick := time.NewTicker(max(idle/looks, 1))
	defer tick.Stop()
	var probing atomic.Bool
	var answered atomic.Int64 // probes
	sent := int64(0)
	probe := func() {
		if !probing.CompareAndSwap(false, true) {
			return
		}
		sent++
		began := time.Now()
		c.run(func() {
			p.probe()
			if !c.isLost() {
				c.measured(time.Since(began))
				answered.Add(1)
			}
			probing.Store(false)
		})
	}
	seen, silent := p.received(), 0
	sessions := make(map[*session]*quiet)
	for {
		select {
		case <-c.lost:
			return
		case <-tick.C:
		}
		if now := p.received(); now != seen {
			seen, silent = now, 0
		} else if silent++; silent == looks-1 {
			c.fail(fmt.Errorf("no answer for %v", idle))
			return
		}
		p.look()
		wanted := silent > 0
		for _, s := range c.live() {
			if !s.initialized() { // the start of SFTP has its own time limit
				continue
			}
			q := sessions[s]
			if q == nil {
				q = new(quiet)
				sessions[s] = q
			}
			q.look(s.wire.Received(), sent, answered.Load())
			if q.looks == 0 && s.isStalled() && s.blocker.Load() != nil { // it answers again
				s.takeCalls()
			}
			if q.proven > 0 {
				oldest, _ := s.wire.Oldest()
				if q.proven >= looks-2 {
					s.giveUp(oldest, fmt.Errorf("no answer on one channel for %v", idle), idle/looks)
					continue
				}
				if !s.isStalled() {
					s.blocker.Store(&oldest)
					s.stall()
				}
			}
			if q.looks == 1 && q.asking.CompareAndSwap(false, true) {
				c.run(func() {
					p.ask(s)
					q.asking.Store(false)
				})
			}
			wanted = wanted || q.looks > 0
		}
		maps.DeleteFunc(sessions, func(s *session, _ *quiet) bool { return s.isLost() })
		if wanted {
			probe()
		}
	}
}

// A quiet records how long one session has been silent.
type quiet struct {
	seen   uint64 // bytes received
	looks  int    // consecutive looks that found it silent
	before int64  // probes sent when the silence was noticed first
	proven int    // looks at which a later probe had been answered
	asking atomic.Bool
}

// look records how many bytes the session has received, and how many probes its connection has sent and answered.
func (q *quiet) look(received uint64, sent, answered int64) {
	switch {
	case received != q.seen:
		q.seen, q.looks, q.proven = received, 0, 0
		return
	case q.looks == 0:
		q.before = sent
	case answered > q.before:
		q.proven++
	}
	q.looks++
}
