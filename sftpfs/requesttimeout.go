package sftpfs

import (
	"fmt"
	"time"
)

// enforceRequestTimeout gives up sessions on which a request has had no answer for timeout, whatever else is answered. It returns
// when the connection is lost.
//
// Only the oldest request of each session is looked at. As long as those that were sent before it are answered, one may
// be waiting for its turn, as the parts of a transfer over a slow line do.
func (c *connection) enforceRequestTimeout(timeout time.Duration) {
	tick := time.NewTicker(max(timeout/looks, 1))
	defer tick.Stop()
	type waiting struct {
		oldest uint64
		looks  int // that found it without an answer
	}
	var before map[*session]waiting
	for {
		select {
		case <-c.lost:
			return
		case <-tick.C:
		}
		now := make(map[*session]waiting)
		for _, s := range c.live() {
			oldest, ok := s.wire.Oldest()
			if !ok {
				continue
			}
			w := waiting{oldest: oldest.Number}
			if before[s].oldest == oldest.Number {
				w.looks = before[s].looks
			}
			if w.looks++; w.looks > looks { // it was sent before the first one
				s.giveUp(oldest, fmt.Errorf("no answer to a request for %v", timeout), timeout/looks)
				continue
			}
			now[s] = w
		}
		before = now
	}
}
