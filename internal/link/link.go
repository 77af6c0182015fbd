package link

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Options configure a Link. The zero value behaves like loopback.
type Options struct {
	// RoundTrip is added to the time of a request and its answer, half of it in each direction.
	RoundTrip time.Duration

	// Bandwidth is in bytes per second, for each direction of each connection. 0: no limit.
	Bandwidth int64
}

// Direction is a direction on the link.
type Direction int

// The directions.
const (
	Up   Direction = iota // from the dialling side to the target
	Down                  // from the target to the dialling side
)

// Link forwards connections to its target. It is safe for concurrent use.
type Link struct {
	target   string
	listener net.Listener
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
	wg       sync.WaitGroup

	mu    sync.Mutex // guards the fields below
	opts  Options
	conns map[*conn]struct{}
	thaw  [2]chan struct{} // by direction; closed: not frozen
	cut   *Cut             // nil: none is planned
}

// New returns a Link to the address target, which runs until Close. It dials the target once for each connection to the
// Link.
func New(target string, o Options) (*Link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	return Serve(listener, target, o), nil
}

// Serve is New for connections that listener accepts. The Link closes listener.
func Serve(listener net.Listener, target string, o Options) *Link {
	l := newLink(o)
	l.target, l.listener = target, listener
	l.wg.Go(l.accept)
	return l
}

func newLink(o Options) *Link {
	l := &Link{opts: o, conns: make(map[*conn]struct{}), thaw: [2]chan struct{}{make(chan struct{}), make(chan struct{})}}
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

// Addr returns the address "127.0.0.1:port" to dial instead of the target.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// SetOptions sets the options of later connections.
func (l *Link) SetOptions(o Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opts = o
}

// Close ends the link and its connections, and returns when all goroutines have ended.
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

// forward serves one connection and returns when it has ended and its goroutines, too.
func (l *Link) forward(near, far net.Conn) {
	c := &conn{link: l, ends: [2]net.Conn{near, far}, ended: make(chan struct{}),
		half: [2]chan struct{}{make(chan struct{}), make(chan struct{})}}
	l.mu.Lock()
	c.opts = l.opts
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	if l.ctx.Err() != nil { // Close may have called Cut before
		c.end(net.Conn.Close)
	}
	c.serve()
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}
