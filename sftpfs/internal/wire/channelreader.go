package wire

import (
	"io"
	"sync"
)

// readAhead is how many bytes are read from the channel at a time.
const readAhead = 64 << 10

// A channelReader reads from the channel, and counts the bytes that arrive. Read ends when the wire is closed, whether the
// server reacts to the end of the channel or not: sshd and dropbear do so only when the process behind the channel has ended,
// which does not happen while it is blocked.
type channelReader struct {
	w    *Wire
	once sync.Once // starts fill
	b    []byte
	full chan error    // b[:n] has come, or the end
	next chan struct{} // b may be filled again
	n    int
	rest []byte // of b, to be returned
	err  error  // behind that
}

func newChannelReader(w *Wire) *channelReader {
	return &channelReader{w: w, full: make(chan error, 1), next: make(chan struct{}, 1)}
}

// Read is for one goroutine.
func (r *channelReader) Read(b []byte) (int, error) {
	r.once.Do(func() { go r.fill() })
	for len(r.rest) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.next <- struct{}{}
		select {
		case r.err = <-r.full:
			r.rest = r.b[:r.n]
		case <-r.w.closed:
			r.err = io.EOF
		}
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// fill returns when the channel has ended, or when the wire is closed and no read of the channel is under way.
func (r *channelReader) fill() {
	r.b = make([]byte, readAhead)
	for {
		select {
		case <-r.next:
		case <-r.w.closed:
			return
		}
		n, err := r.w.channel.Read(r.b)
		r.w.received.Add(uint64(n))
		r.n = n
		r.full <- err
		if err != nil {
			return
		}
	}
}
