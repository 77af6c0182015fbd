// Package wire handles an SFTP channel packet by packet: it encodes requests, checks and dispatches what the server
// answers, and pipelines requests of its own beside those of pkg/sftp. It knows neither connections nor files.
//
// A Wire lies between an SSH channel and an [sftp.Client], which reads and writes through it. Everything that comes out
// of the channel is data from a server that may be broken or hostile. The Wire bounds it, and ends the channel at an
// impossible packet.
package wire

import (
	"bufio"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
)

// MaxRequests is how many requests are in flight on a channel at a time, unless Limit lowers that. OpenSSH slows down to a
// quarter with more.
const MaxRequests = 256

// A Wire is an SFTP channel as seen from below pkg/sftp. It holds requests back while too many are in flight, counts
// the bytes that arrive, and refuses answers that pkg/sftp would misread: pkg/sftp cuts a name to what follows its last
// slash, takes a bare OK for a file, asks forever for data that never comes, and keeps a listing in memory however long
// it is.
//
// One goroutine at a time may call Read, and one Write; all other methods are safe for concurrent use.
type Wire struct {
	channel  io.ReadWriteCloser
	received atomic.Uint64 // bytes
	once     sync.Once
	closed   chan struct{}
	failure  atomic.Pointer[error] // the error that ended Read
	turns    chan struct{}         // one token for each request in flight, or for a few that were sent together

	maxListing int // bytes

	initialized   chan struct{}                     // closed after extensions is set
	extensions    atomic.Pointer[map[string]string] // nil until the server has sent its VERSION packet
	pipelinedInit bool                              // PipelineInit was called

	// For reading, by one goroutine.
	in     *bufio.Reader
	header [headerSize + 4]byte
	held   []byte // Read returns it before anything from in
	pass   int    // how many bytes from in Read returns unchanged

	// For writing.
	writing sync.Mutex // held from the first byte of a packet to its last; guards unsent
	unsent  int        // bytes missing of the packet that was begun

	mu          sync.Mutex // guards the following
	pending     map[uint32]pending
	sent        uint64 // how many requests were sent
	answered    uint64 // how many of those were answered
	peak        int    // the most that had no answer at a time
	peakSent    uint64 // how many were sent then
	depth       int    // see Depth
	prediction  handlePrediction
	listings    map[string]*listing  // by the handle of the directory
	paths       map[string]uint64    // HashPath of the path that was opened, by its handle
	departures  map[departure]func() // see NotifyWrite
	localErrors map[uint32]error     // by the status code that stands for the error
	localCount  uint32
	outbox      []byte // pipelined requests that are to be written
	spare       []byte // empty, for the next outbox
	lastID      uint32 // of the last pipelined request; 0: none yet
	spent       bool   // see Spent
}

// New returns a Wire over channel, which then belongs to the Wire. A listing that needs more than maxListing bytes of
// memory fails.
func New(channel io.ReadWriteCloser, maxListing int) *Wire {
	w := &Wire{
		channel:     channel,
		closed:      make(chan struct{}),
		initialized: make(chan struct{}),
		turns:       make(chan struct{}, MaxRequests),
		pending:     make(map[uint32]pending),
		listings:    make(map[string]*listing),
		paths:       make(map[string]uint64),
		departures:  make(map[departure]func()),
		maxListing:  maxListing,
		localErrors: make(map[uint32]error),
	}
	w.in = bufio.NewReaderSize(newChannelReader(w), readAhead)
	return w
}

// Limit lowers MaxRequests for this Wire. Call it before the first request. most is at least 1.
func (w *Wire) Limit(most int) {
	if most < MaxRequests {
		w.turns = make(chan struct{}, most)
	}
}

// Close closes the channel. Read, and every call that waits for an answer or for its turn, then fails. Closing again
// does nothing.
func (w *Wire) Close() error {
	var err error
	w.once.Do(func() {
		close(w.closed)
		err = w.channel.Close()
	})
	return err
}

// Received returns how many bytes have arrived on the channel.
func (w *Wire) Received() uint64 { return w.received.Load() }

// Write writes whole requests, each in one or more pieces. The first piece must hold everything but the data of a
// WRITE. Write waits while too many requests are in flight.
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

// begin waits for the turn of the request b, and registers the request. Unless it fails, everything before b has then
// been written, and nothing else is written until b is.
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

// turn waits until one more request may be in flight.
func (w *Wire) turn() error {
	select {
	case w.turns <- struct{}{}:
		return nil
	case <-w.closed:
		return io.ErrClosedPipe
	}
}

// AwaitWrites waits until no packet is being written.
func (w *Wire) AwaitWrites() {
	w.writing.Lock()
	defer w.writing.Unlock()
}
