package link

import (
	"net"
)

// A cut is to come. Link.mu guards it.
type cut struct {
	direction Direction
	left      int64
	came      bool
}

// CutAfter has Cut called once n more bytes have arrived in the direction d, by all connections together. It replaces
// what an earlier CutAfter has still to do. The function it returns calls the cut off and tells whether it came.
func (l *Link) CutAfter(d Direction, n int64) (came func() bool) {
	armed := &cut{direction: d, left: n}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = armed
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.cut == armed {
			l.cut = nil
		}
		return armed.came
	}
}

// admit returns how many of n bytes arrive before the cut, and whether it comes behind them.
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
	l.cut.came, l.cut = true, nil
	return n, true
}

// Cut ends the connections that there are; what is on the way is lost. New ones are accepted.
func (l *Link) Cut() { l.endAll(net.Conn.Close) }

// Reset is Cut, but both sides see an error in place of an end (RST in place of FIN).
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

// Freeze stops everything on the link until Thaw: nothing arrives, and nobody is told. New connections are accepted,
// and are as silent.
func (l *Link) Freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.thaw:
		l.thaw = make(chan struct{})
	default:
	}
}

// Thaw ends Freeze; what was sent meanwhile arrives.
func (l *Link) Thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.thaw:
	default:
		close(l.thaw)
	}
}

// thawed returns a channel that is closed while the link is not frozen.
func (l *Link) thawed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.thaw
}
