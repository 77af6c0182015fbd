package sftpfs

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// A liveConn counts what arrives: any byte is a sign of life, not only an answer.
type liveConn struct {
	net.Conn
	received atomic.Uint64
}

func (c *liveConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.received.Add(uint64(n))
	return n, err
}

// keepAlive fails the session when nothing arrives on conn for idle while an answer is awaited. After a third of that
// without a byte it calls probe, which sends a request that every server answers and returns when it is: so an
// answer always is awaited. Never is a second probe sent while one waits: it would wait behind it.
func (s *session) keepAlive(conn *liveConn, idle time.Duration, probe func()) {
	const looks = 3
	s.wg.Go(func() {
		tick := time.NewTicker(max(idle/looks, 1))
		defer tick.Stop()
		var probing atomic.Bool
		seen, silent := conn.received.Load(), 0
		for {
			select {
			case <-s.lost:
				return
			case <-tick.C:
			}
			if now := conn.received.Load(); now != seen {
				seen, silent = now, 0
				continue
			}
			if silent++; silent == looks {
				s.fail(fmt.Errorf("no answer for %v", idle))
				return
			}
			if probing.CompareAndSwap(false, true) {
				s.wg.Go(func() {
					probe()
					probing.Store(false)
				})
			}
		}
	})
}
