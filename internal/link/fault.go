package link

import (
	"net"
)

// Cut is a planned cut after a number of bytes.
type Cut struct {
	link      *Link
	direction Direction
	left      int64         // guarded by Link.mu
	came      chan struct{} // closed when the cut was made
}

// CutAfter calls Link.Cut when n more bytes have arrived in direction d, on all connections together. It replaces an
// earlier Cut that was not made yet.
func (l *Link) CutAfter(d Direction, n int64) *Cut {
	c := &Cut{link: l, direction: d, left: n, came: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = c
	return c
}

// Came returns a channel that is closed when the cut was made.
func (c *Cut) Came() <-chan struct{} { return c.came }

// Cancel removes the cut and reports whether it was made before.
func (c *Cut) Cancel() (came bool) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.link.cut == c {
		c.link.cut = nil
	}
	select {
	case <-c.came:
		return true
	default:
		return false
	}
}

// admit returns how many of n bytes arrive before the cut, and whether the cut follows them.
func (l *Link) admit(d Direction, n int) (int, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut == nil || l.cut.direction != d || n == 0 {
		return n, false
	}
	n = int(min(int64(n), l.cut.left))
	if l.cut.left -= int64(n); l.cut.left > 0 {
		return n, false
	}
	close(l.cut.came)
	l.cut = nil
	return n, true
}

// Cut ends all present connections. Data in transit is lost. New connections are accepted.
func (l *Link) Cut() { l.endAll(net.Conn.Close) }

// Reset is Cut, but both sides see an error instead of an end (RST instead of FIN).
func (l *Link) Reset() { l.endAll(reset) }

func (l *Link) endAll(closing func(net.Conn) error) {
	l.mu.Lock()
	conns := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		c.end(closing)
	}
}

// Freeze stops everything on the link until Thaw: nothing arrives, and no side gets an error. New connections are
// accepted, and are silent, too.
func (l *Link) Freeze() {
	l.FreezeOne(Up)
	l.FreezeOne(Down)
}

// FreezeOne is Freeze for one direction. If that is Down, requests are executed and their answers do not arrive.
func (l *Link) FreezeOne(d Direction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.thaw[d]:
		l.thaw[d] = make(chan struct{})
	default:
	}
}

// Thaw ends Freeze and FreezeOne. Data that was sent meanwhile arrives.
func (l *Link) Thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, thaw := range l.thaw {
		end(thaw)
	}
}

// end closes a channel, if it is open. The caller has Link.mu.
func end(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// thawed returns a channel that is closed while a direction is not frozen.
func (l *Link) thawed(d Direction) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.thaw[d]
}

// HalfClose ends the data of all present connections in one direction. Data in transit there is lost, and the receiver
// sees the end. The other direction goes on.
func (l *Link) HalfClose(d Direction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		end(c.half[d])
	}
}
