package sftpfs

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"sync/atomic"
	"time"
)

// looks is how often within IdleTimeout a connection is looked at. The last but one that finds it silent ends it, since
// the silence may have begun right after the look before the first.
const looks = 4

// keepAliveRequest is one that every SSH server answers, if an answer is wanted, as OpenSSH's client does it.
const keepAliveRequest = "keepalive@openssh.com"

// A liveConn counts what arrives: any byte is a sign of life, not only an answer.
type liveConn struct {
	net.Conn
	received   atomic.Uint64
	identified atomic.Bool            // an SSH server answers: what came first begins like its identification
	onRead     atomic.Pointer[func()] // called when something has been read
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
		_ = c.Conn.Close() // which ends a Write, on which the reader may have to wait
	}
	return n, err
}

// SetLinger says what becomes of bytes that were not sent when the connection is closed, as [net.TCPConn.SetLinger] does.
func (c *liveConn) SetLinger(seconds int) error {
	if conn, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		return conn.SetLinger(seconds)
	}
	return errors.ErrUnsupported
}

// A pulse is what a connection is looked at for.
type pulse struct {
	received func() uint64 // bytes, by the connection
	// probe sends a request that every SSH server answers, and returns when it is answered.
	probe func()
	// ask does the same on the session, by SFTP.
	ask func(*session)
	// look is called each time.
	look func()
}

// keepAlive fails the connection when nothing arrives for IdleTimeout while an answer is awaited, and gives up a session of
// which that is so. It probes what is silent, so that an answer always is awaited; never is a second probe sent while one
// waits, for it would wait behind it. It returns when the connection is lost.
//
// A session is stalled if a probe of the connection that was sent later than what the session waits for has been answered:
// what is merely under way on a slow line lies before both. From then on calls go elsewhere, until something is answered. It
// is given up if that was long ago.
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
			if !s.initialized() { // which has its own time limit
				continue
			}
			q := sessions[s]
			if q == nil {
				q = new(quiet)
				sessions[s] = q
			}
			q.look(s.wire.Received(), sent, answered.Load())
			if q.looks == 0 && s.isStalled() && s.blocker.Load() != nil { // which is answered
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

// A quiet is what is known of the silence of one session.
type quiet struct {
	seen   uint64 // bytes received
	looks  int    // that found it silent
	before int64  // probes sent when the silence was noticed first
	proven int    // looks since a later probe was known to be answered
	asking atomic.Bool
}

// look takes the bytes that the session has received, and how many probes were sent and answered on its connection.
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
