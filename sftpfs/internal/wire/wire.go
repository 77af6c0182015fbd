// Package wire is an SFTP channel, packet by packet: it encodes requests, checks and dispatches what the server answers, and
// pipelines requests of its own beside those of pkg/sftp. It knows neither connections nor files.
//
// A Wire lies between an SSH channel and an [sftp.Client], which reads and writes through it. Everything that comes out of the
// channel is data from a server that may be broken or hostile. The Wire bounds it, and ends the channel at what a server cannot
// mean.
package wire

import (
	"bufio"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
)

// MaxRequests is how many requests a channel carries at a time. OpenSSH slows down to a quarter with more.
const MaxRequests = 256

// A Wire is an SFTP channel as it looks below pkg/sftp. It holds requests back while the server has no room for them, counts
// the bytes that arrive, and refuses answers that pkg/sftp would misread: pkg/sftp cuts a name down to what follows its last
// slash, takes a bare OK for a file, asks for ever for data that never comes, and keeps a listing in memory however long it is.
//
// One goroutine at a time may call Read, and one Write; all other methods are safe for concurrent use.
type Wire struct {
	channel  io.ReadWriteCloser
	received atomic.Uint64 // bytes
	once     sync.Once
	closed   chan struct{}
	failure  atomic.Pointer[error] // that Read has ended with
	turns    chan struct{}         // one token for each request in flight, or few that were sent together

	maxListing int // bytes

	initialized   chan struct{}                     // closed after extensions is set
	extensions    atomic.Pointer[map[string]string] // nil until the server has sent its VERSION packet
	pipelinedInit bool                              // pkg/sftp does not wait for that

	// Reading. One goroutine reads.
	in     *bufio.Reader
	header [headerSize + 4]byte
	held   []byte // to be read before what in has
	pass   int    // how many bytes of in follow unchanged

	// Writing.
	writing sync.Mutex // held from the first byte of a packet to its last; guards unsent
	unsent  int        // bytes of the packet that was begun

	mu          sync.Mutex // guards the following
	pending     map[uint32]pending
	sent        uint64 // requests
	answered    uint64 // of those
	prediction  handlePrediction
	listings    map[string]*listing // by the handle of the directory
	paths       map[string]uint64   // HashPath of what was opened, by its handle
	localErrors map[uint32]error    // by the status code that stands for the error
	localCount  uint32
	outbox      []byte // pipelined requests that wait to be written
	spare       []byte // empty, for the next outbox
	lastID      uint32 // of the pipelined requests; 0: none was made
	spent       bool   // there may be no more of them
}

// New returns a Wire over channel, and takes channel over. A listing that needs more than maxListing bytes of memory fails.
func New(channel io.ReadWriteCloser, maxListing int) *Wire {
	w := &Wire{
		channel:     channel,
		closed:      make(chan struct{}),
		initialized: make(chan struct{}),
		turns:       make(chan struct{}, MaxRequests),
		pending:     make(map[uint32]pending),
		listings:    make(map[string]*listing),
		paths:       make(map[string]uint64),
		maxListing:  maxListing,
		localErrors: make(map[uint32]error),
	}
	w.in = bufio.NewReaderSize(newChannelReader(w), readAhead)
	return w
}

// Close closes the channel. Read, and every call that waits for an answer or for its turn, then fails. Closing again does
// nothing.
func (w *Wire) Close() error {
	var err error
	w.once.Do(func() {
		close(w.closed)
		err = w.channel.Close()
	})
	return err
}

// Received returns how many bytes have come over the channel.
func (w *Wire) Received() uint64 { return w.received.Load() }

// Write takes whole requests, each in one piece or more. The first piece holds everything but the data of a WRITE. Write waits
// until the server has room for the request.
func (w *Wire) Write(b []byte) (int, error) {
	if w.unsent == 0 {
		if len(b) < headerSize {
			return 0, errMalformed
		}
		if err := w.begin(b); err != nil {
			return 0, err
		}
	}
	n, err := w.channel.Write(b)
	if w.unsent -= n; err != nil {
		w.unsent = 0
	}
	if w.unsent == 0 {
		w.writing.Unlock()
	}
	return n, err
}

// begin waits for the turn of the request b, and registers it. Everything before it has then been written, and nothing else is
// written until b is, unless there is an error.
func (w *Wire) begin(b []byte) error {
	kind := b[4]
	if kind != packetInit {
		if err := w.turn(); err != nil {
			return err
		}
	}
	w.writing.Lock()
	register := func() { w.register(kind, b[5:]) }
	if kind == packetInit {
		register = nil
	}
	if err := w.drain(register); err != nil {
		w.writing.Unlock()
		return err
	}
	w.unsent = 4 + int(binary.BigEndian.Uint32(b))
	return nil
}

// turn waits until the server has room for one more request.
func (w *Wire) turn() error {
	select {
	case w.turns <- struct{}{}:
		return nil
	case <-w.closed:
		return io.ErrClosedPipe
	}
}

// AwaitWrites returns when no packet is being written.
func (w *Wire) AwaitWrites() {
	w.writing.Lock()
	defer w.writing.Unlock()
}
