package link

import "time"

// queue is how much data, as a time, may wait on a link of limited bandwidth. A sender with more than that must wait,
// as with the queue of a router.
const queue = 100 * time.Millisecond

// pace computes when data arrives, for one direction.
type pace struct {
	delay     time.Duration
	bandwidth int64     // bytes per second; 0: no limit
	free      time.Time // when the link has sent everything it was given
}

// arrival takes n bytes at the time now and returns when the last of them arrives. Times are absolute, so a delay of
// one chunk does not delay the others.
func (p *pace) arrival(now time.Time, n int) time.Time {
	if p.free.Before(now) {
		p.free = now
	}
	if p.bandwidth > 0 {
		p.free = p.free.Add(time.Duration(float64(n) / float64(p.bandwidth) * float64(time.Second)))
	}
	return p.free.Add(p.delay)
}

// ready returns when more may be sent.
func (p *pace) ready() time.Time { return p.free.Add(-queue) }
