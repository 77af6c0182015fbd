package link

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	chunkSize = 64 << 10
	// onTheWay is how many chunks may be in transit: 64 MiB, more than any window of the users of the link.
	onTheWay = 1024
)

// conn is one connection over the link.
type conn struct {
	link  *Link
	opts  Options
	ends  [2]net.Conn // by the direction that starts there
	once  sync.Once
	ended chan struct{}
	half  [2]chan struct{} // by direction; closed: its data has ended
}

// chunk is a piece of data in transit.
type chunk struct {
	b       []byte
	arrives time.Time
	err     error // the error of the sender's Read, behind b
}

// end closes both ends. Data in transit is lost.
func (c *conn) end(closing func(net.Conn) error) {
	c.once.Do(func() {
		close(c.ended)
		for _, end := range c.ends {
			_ = closing(end)
		}
	})
}

// reset closes a connection so that its other side sees an error.
func reset(c net.Conn) error {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	return c.Close()
}

// serve forwards in both directions until both have ended.
func (c *conn) serve() {
	var wg sync.WaitGroup
	for _, d := range []Direction{Up, Down} {
		chunks := make(chan chunk, onTheWay)
		wg.Go(func() { c.receive(c.ends[d], chunks) })
		wg.Go(func() { c.deliver(d, c.ends[1-d], chunks) })
	}
	wg.Wait()
	c.end(net.Conn.Close)
}

// receive reads from one end and computes when each chunk arrives.
func (c *conn) receive(from net.Conn, chunks chan<- chunk) {
	defer close(chunks)
	p := pace{delay: c.opts.RoundTrip / 2, bandwidth: c.opts.Bandwidth}
	for {
		b := make([]byte, chunkSize)
		n, err := from.Read(b)
		k := chunk{b[:n:n], p.arrival(time.Now(), n), err}
		select {
		case chunks <- k:
		case <-c.ended:
			return
		}
		if err != nil || !c.wait(p.ready()) {
			return
		}
	}
}

// deliver writes the chunks that have arrived.
func (c *conn) deliver(d Direction, to net.Conn, chunks <-chan chunk) {
	for {
		k, more := chunk{}, true
		select {
		case k, more = <-chunks:
		case <-c.half[d]:
			closeWrite(to)
			return
		}
		if !more || !c.wait(k.arrives) || !c.pass(d) {
			return
		}
		n, last := c.link.admit(d, len(k.b))
		_, err := to.Write(k.b[:n])
		switch {
		case last:
			c.link.Cut()
			return
		case err != nil:
			c.end(net.Conn.Close)
			return
		case k.err == io.EOF:
			closeWrite(to)
			return
		case k.err != nil:
			c.end(reset)
			return
		}
	}
}

// closeWrite ends the data towards the other side.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = c.Close()
}

// wait waits until t and returns true, or returns false if the connection ends before.
func (c *conn) wait(t time.Time) bool {
	left := time.Until(t)
	if left <= 0 {
		return true
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ended:
		return false
	}
}

// pass waits until the link is not frozen and returns true, or returns false if the connection ends before.
func (c *conn) pass(d Direction) bool {
	select {
	case <-c.link.thawed(d):
		return true
	case <-c.ended:
		return false
	}
}
