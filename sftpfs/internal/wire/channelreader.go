package wire

import (
	"io"
	"sync"
)

// readAhead is how many bytes are read from the channel at a time.
const readAhead = 64 << 10

// A channelReader reads from the channel, and counts the bytes that arrive. Its Read ends when the Wire is closed, even
// if the server does not react to the end of the channel: sshd and dropbear react only when the process behind the
// channel has ended, which does not happen while that is blocked.
type channelReader struct {
	w    *Wire
	once sync.Once // starts fill
	b    []byte
	full chan error    // b[:n] has arrived or, with an error, the end
	next chan struct{} // b may be filled again
	n    int
	rest []byte // of b, not yet returned
	err  error  // returned after rest
}

func newChannelReader(w *Wire) *channelReader {
	return &channelReader{w: w, full: make(chan error, 1), next: make(chan struct{}, 1)}
}

// Read may be called by one goroutine at a time.
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

// fill reads from the channel. It returns when the channel has ended, or when the Wire is closed and no read of the
// channel is in progress.
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
