package sftpfs

import (
	"fmt"
	"time"
)

// enforceRequestTimeout gives up sessions on which a request has no answer for timeout, whatever else is answered. It
// returns when the connection is lost.
//
// It looks only at the oldest request of each session. While earlier requests are being answered, a request may only be
// waiting for its turn, like the parts of a transfer over a slow network.
func (c *connection) enforceRequestTimeout(timeout time.Duration) {
	tick := time.NewTicker(max(timeout/looks, 1))
	defer tick.Stop()
	type waiting struct {
		oldest uint64
		looks  int // looks that found it unanswered
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
			if w.looks++; w.looks > looks { // it was sent before the first look
				s.giveUp(oldest, fmt.Errorf("no answer to a request for %v", timeout), timeout/looks)
				continue
			}
			now[s] = w
		}
		before = now
	}
}
