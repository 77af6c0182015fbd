package link

import "time"

// queue is how much, by the time that it takes, may wait for its turn on a link of limited bandwidth. Whoever sends
// more than that is made to wait, as by the queue of a router.
const queue = 100 * time.Millisecond

// A pace says when what is sent arrives, one way.
type pace struct {
	delay     time.Duration
	bandwidth int64     // bytes a second; 0: no limit
	free      time.Time // when the link has sent what it was given
}

// arrival takes n bytes at the time now and returns when the last of them arrives. Times are absolute, so that what
// is late once makes nothing else late.
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
