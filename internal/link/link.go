package link

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Options of a Link. The zero value is as good as loopback.
type Options struct {
	// RoundTrip is added to the time that a request and its answer take, half of it each way.
	RoundTrip time.Duration

	// Bandwidth is in bytes per second, for each way of each connection. 0 is as fast as it goes.
	Bandwidth int64
}

// Direction is a way along the link.
type Direction int

// The ways.
const (
	Up   Direction = iota // from who dialled to the target
	Down                  // back
)

// A Link forwards connections to its target. Its methods may be called by many goroutines at once.
type Link struct {
	target   string
	listener net.Listener
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
	wg       sync.WaitGroup

	mu    sync.Mutex // guards the following
	opts  Options
	conns map[*conn]struct{}
	thaw  chan struct{} // closed: not frozen
	cut   *Cut          // nil: none is to come
}

// New returns a Link to the address target, which runs until Close. The target is dialled when the link is.
func New(target string, o Options) (*Link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	l := newLink(o)
	l.target, l.listener = target, listener
	l.wg.Go(l.accept)
	return l, nil
}

func newLink(o Options) *Link {
	l := &Link{opts: o, conns: make(map[*conn]struct{}), thaw: make(chan struct{})}
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.Thaw()
	return l
}

// Pipe returns the two ends of a connection over a link, within the process. It ends when one of them is closed. In a
// bubble of testing/synctest its time is virtual.
func Pipe(o Options) (near, far net.Conn) {
	near, left := net.Pipe()
	right, far := net.Pipe()
	go newLink(o).forward(left, right)
	return near, far
}

// Addr is the "127.0.0.1:port" to dial in place of the target.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// SetOptions changes what the connections made from now on are like.
func (l *Link) SetOptions(o Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opts = o
}

// Close ends the link and its connections, and returns when nothing of it is left.
func (l *Link) Close() error {
	l.stop()
	err := l.listener.Close()
	l.Cut()
	l.wg.Wait()
	return err
}

func (l *Link) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.wg.Go(func() { l.connect(near) })
	}
}

// connect serves one connection until it ends.
func (l *Link) connect(near net.Conn) {
	far, err := new(net.Dialer).DialContext(l.ctx, "tcp", l.target)
	if err != nil {
		_ = reset(near)
		return
	}
	l.forward(near, far)
}

// forward returns when the connection has ended and nothing of it is left.
func (l *Link) forward(near, far net.Conn) {
	c := &conn{link: l, ends: [2]net.Conn{near, far}, ended: make(chan struct{})}
	l.mu.Lock()
	c.opts = l.opts
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	if l.ctx.Err() != nil { // Close may have looked before
		c.end(net.Conn.Close)
	}
	c.serve()
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}
