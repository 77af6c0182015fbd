package sftpfs

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

const (
	// maxAwaited is how many requests a channel carries at a time. OpenSSH slows down to a quarter with more.
	maxAwaited = 256
	// firstComplaint and above are the status codes that stand for a complaint of the wire's.
	firstComplaint = 1 << 31
)

var errMalformed = errors.New("the server sent a malformed packet")

// A wire is an SFTP channel as it looks below pkg/sftp, packet by packet. It keeps requests back that the server has
// no room for, counts what arrives, and refuses answers that pkg/sftp would misread: it shortens names to what stands
// behind their last slash, takes a bare OK for a file, asks for ever for data that never comes, and keeps a listing
// in memory however long it is.
type wire struct {
	channel  io.ReadWriteCloser
	received atomic.Uint64 // bytes
	once     sync.Once
	closed   chan struct{}
	failure  atomic.Pointer[error] // which reading has ended with
	turns    chan struct{}         // one for each request that waits for its answer, or few that were sent together

	maxListing int

	heard  chan struct{}     // closed when the server has said what it offers
	offers map[string]string // the extensions, set before that
	ahead  bool              // pkg/sftp does not wait for that

	// Reading. One goroutine reads.
	in     *bufio.Reader
	header [headerSize + 4]byte
	held   []byte // to be read before what in has
	pass   int    // how much of in follows as it is

	// Writing.
	writing sync.Mutex // held from the first byte of a packet to its last; guards unsent
	unsent  int        // bytes of the packet that was begun

	mu         sync.Mutex // guards the following
	awaited    map[uint32]request
	sent       uint64 // requests
	answered   uint64 // of those
	handles    handles
	listed     map[string]*tally // by the handle of the directory
	paths      map[string]uint64 // hashOf what was opened, by the handle
	complaints map[uint32]error  // by the code that stands for it
	complained uint32
	outbox     []byte // requests of the package's own that wait to be written
	spare      []byte // empty, for the next outbox
	lastID     uint32 // of those; 0: none was made
	spent      bool   // there may be no more of them
}

// A request waits for its answer.
type request struct {
	kind   byte
	length uint32 // of a READ
	listed *tally // by a READDIR
	ends   bool   // the turn
	number uint64 // of those that were sent
	path   uint64 // hashOf what it is about; 0: a handle, or not known
	file   uint64 // hashOf what the handle is of that it is about; 0: none, or not known
	// foretold is the handle that a request is to get with which others were sent that are about it.
	foretold string
	// take gets the answer to a request of the package's own, in the goroutine that reads: it must not wait.
	take func(reply)
}

func newWire(channel io.ReadWriteCloser) *wire {
	w := &wire{
		channel:    channel,
		closed:     make(chan struct{}),
		heard:      make(chan struct{}),
		turns:      make(chan struct{}, maxAwaited),
		awaited:    make(map[uint32]request),
		listed:     make(map[string]*tally),
		paths:      make(map[string]uint64),
		maxListing: maxListing,
		complaints: make(map[uint32]error),
	}
	w.in = bufio.NewReaderSize(newArriving(w), 64<<10)
	return w
}

// An arriving reads from the channel, and counts what arrives. When the wire is closed it ends, whether the server answers to
// that or not: sshd and dropbear do so only when the process behind the channel has ended, which one that is blocked does not.
type arriving struct {
	w    *wire
	once sync.Once // begins to fill
	b    []byte
	full chan error    // b[:n] has come, or the end
	next chan struct{} // b may be filled again
	n    int
	rest []byte // of b, to be given
	err  error  // behind that
}

func newArriving(w *wire) *arriving {
	return &arriving{w: w, full: make(chan error, 1), next: make(chan struct{}, 1)}
}

// Read is for one goroutine.
func (a *arriving) Read(b []byte) (int, error) {
	a.once.Do(func() { go a.fill() })
	for len(a.rest) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		a.next <- struct{}{}
		select {
		case a.err = <-a.full:
			a.rest = a.b[:a.n]
		case <-a.w.closed:
			a.err = io.EOF
		}
	}
	n := copy(b, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// fill returns when the wire is closed and the server has answered to that, or the connection is lost.
func (a *arriving) fill() {
	a.b = make([]byte, 64<<10)
	for {
		select {
		case <-a.next:
		case <-a.w.closed:
			return
		}
		n, err := a.w.channel.Read(a.b)
		a.w.received.Add(uint64(n))
		a.n = n
		a.full <- err
	}
}

// Close ends the channel, and with it who reads or waits for his turn.
func (w *wire) Close() error {
	var err error
	w.once.Do(func() {
		close(w.closed)
		err = w.channel.Close()
	})
	return err
}

// Write takes whole requests, in one piece or more; the first holds all but what a WRITE has to write.
func (w *wire) Write(b []byte) (int, error) {
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

// begin waits for the turn of the request b, and notes it. Then all before it has been written, and nothing else is until
// it is, unless there is an error.
func (w *wire) begin(b []byte) error {
	kind := b[4]
	if kind != packetInit {
		if err := w.turn(); err != nil {
			return err
		}
	}
	w.writing.Lock()
	note := func() { w.note(kind, b[5:]) }
	if kind == packetInit {
		note = nil
	}
	if err := w.drain(note); err != nil {
		w.writing.Unlock()
		return err
	}
	w.unsent = 4 + int(binary.BigEndian.Uint32(b))
	return nil
}

// turn waits until the server has room for one more request.
func (w *wire) turn() error {
	select {
	case w.turns <- struct{}{}:
		return nil
	case <-w.closed:
		return io.ErrClosedPipe
	}
}

// note keeps in mind what has been asked, to check the answer. w.mu is held.
func (w *wire) note(kind byte, body []byte) {
	m := message{kind: kind, body: body[4:]}
	r := request{kind: kind, ends: true, path: m.path(), file: w.paths[string(m.handle())]}
	f := fields{b: body}
	id := f.uint32()
	w.handles.send(kind, f.b)
	w.spent = w.spent || id >= spentID
	if r.listed = w.tally(kind, f); kind == packetRead {
		f.string()
		f.uint64()
		r.length = f.uint32()
	}
	w.await(id, r)
}

// tally returns what the answer to a READDIR counts towards, nil for another request. That which closes the handle ends
// the listing: the next one may have the same handle. w.mu is held.
func (w *wire) tally(kind byte, body fields) *tally {
	switch kind {
	case packetReaddir:
		handle := body.string()
		if w.listed[handle] == nil {
			w.listed[handle] = new(tally)
		}
		return w.listed[handle]
	case packetClose:
		handle := body.string()
		delete(w.listed, handle)
		delete(w.paths, handle)
	}
	return nil
}

// await has an answer with this id taken as that to r, which is the next to be written. w.mu is held.
func (w *wire) await(id uint32, r request) {
	r.number = w.sent
	w.sent++
	w.awaited[id] = r
}

// asked returns the request that the answer with this id is to.
func (w *wire) asked(id uint32) (request, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.awaited[id]
	if ok {
		delete(w.awaited, id)
		w.handles.erring = w.handles.erring || r.number != w.answered
		w.answered++
		if r.ends {
			<-w.turns
		}
	}
	return r, ok
}

// awaitsAnswers tells whether there are requests without an answer.
func (w *wire) awaitsAnswers() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.awaited) > 0
}

// opened notes the answer to a request that opens something. It returns none if the handle is not the one that was
// foretold: what was sent with the request was about something else.
func (w *wire) opened(r request, a reply) reply {
	if r.kind != packetOpen && r.kind != packetOpendir {
		return a
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.handles.answer(r.foretold, a) {
		return reply{}
	}
	if handle, err := a.handle(); err == nil && r.foretold == "" { // else it is closed by now
		w.paths[handle] = r.path
	}
	return a
}

// Read gives what the server sends, checked. What it can't be trusted with ends the wire.
func (w *wire) Read(b []byte) (int, error) {
	for len(w.held) == 0 && w.pass == 0 {
		if err := w.next(); err != nil {
			if w.ahead && !w.hasHeard() {
				err = notStarted(err)
			}
			w.failure.Store(&err)
			w.Close()
			return 0, err
		}
	}
	if len(w.held) > 0 {
		n := copy(b, w.held)
		w.held = w.held[n:]
		return n, nil
	}
	n, err := w.in.Read(b[:min(len(b), w.pass)])
	w.pass -= n
	return n, err
}

// next begins with the next packet.
func (w *wire) next() error {
	header := w.header[:headerSize]
	if _, err := io.ReadFull(w.in, header[:4]); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(header)
	if length < headerSize-4 || length > maxPacket {
		return fmt.Errorf("%w of %d bytes", errMalformed, length)
	}
	if _, err := io.ReadFull(w.in, header[4:]); err != nil {
		return err
	}
	kind, id := header[4], binary.BigEndian.Uint32(header[5:])
	w.held, w.pass = header, int(length)-(headerSize-4)
	if kind == packetVersion {
		return w.version()
	}
	r, ok := w.asked(id)
	switch {
	case !ok:
		return errors.New("the server answers what it was not asked")
	case kind == packetHandle && w.pass > 4+maxHandle:
		return fmt.Errorf("%w: a handle of %d bytes", errMalformed, w.pass-4)
	case kind == packetName && r.kind == packetReaddir:
		return w.names(r, id)
	case r.take != nil:
		body, err := w.rest()
		if err == nil {
			r.take(w.opened(r, reply{kind: kind, body: body}))
		}
		return err
	case kind == packetStatus:
		w.opened(r, reply{kind: kind})
		return w.status(r, id)
	case kind == packetHandle:
		header := w.held
		body, err := w.rest()
		w.opened(r, reply{kind: kind, body: body})
		w.held = append(header, body...)
		return err
	case kind == packetData && r.kind == packetRead:
		return w.data(r, id)
	}
	return nil
}

// rest returns the rest of the packet, which then is not passed on.
func (w *wire) rest() ([]byte, error) {
	b := make([]byte, w.pass)
	_, err := io.ReadFull(w.in, b)
	w.held, w.pass = nil, 0
	return b, err
}

// status keeps a success from those who expect more than that, and an end from those for whom there is none.
func (w *wire) status(r request, id uint32) error {
	body, err := w.rest()
	if err != nil {
		return err
	}
	f := fields{b: body}
	code := f.uint32()
	switch {
	case f.bad:
		return errMalformed
	case code == statusOK && answersWithData(r.kind):
		return errors.New("the server says OK where an answer is due")
	case code == statusEOF && !ends(r.kind), code >= firstComplaint:
		w.held = statusPacket(id, statusFailure, nil)
	default:
		message := f.bytes() // which old servers leave out
		w.held = statusPacket(id, code, message[:min(len(message), maxMessage)])
	}
	return nil
}

// data refuses more than was asked for, and takes nothing for the end of the file.
func (w *wire) data(r request, id uint32) error {
	count := make([]byte, 4)
	if w.pass < len(count) {
		return errMalformed
	}
	if _, err := io.ReadFull(w.in, count); err != nil {
		return err
	}
	w.held, w.pass = append(w.held, count...), w.pass-len(count)
	switch n := binary.BigEndian.Uint32(count); {
	case int64(n) > int64(w.pass):
		return errMalformed
	case n > r.length:
		return fmt.Errorf("the server sent %d bytes, %d were asked for", n, r.length)
	case n == 0:
		_, err := w.rest()
		w.held = statusPacket(id, statusEOF, nil)
		return err
	}
	return nil
}

// names refuses a listing that has names which none can have, or no end.
func (w *wire) names(r request, id uint32) error {
	header := w.held
	body, err := w.rest()
	if err != nil {
		return err
	}
	err = r.listed.add(body, w.maxListing)
	switch {
	case errors.Is(err, errMalformed):
		return err
	case r.take != nil:
		r.take(reply{packetName, body, err})
	case err != nil:
		w.held = statusPacket(id, w.complain(err), nil)
	default:
		w.held = append(header, body...)
	}
	return nil
}

// complain returns a status code that stands for err.
func (w *wire) complain(err error) uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	code := firstComplaint + w.complained
	w.complained = (w.complained + 1) % firstComplaint
	w.complaints[code] = err
	return code
}

// complaint returns the error that the status code stands for, if it is the wire's own. It does so once.
func (w *wire) complaint(code uint32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.complaints[code]
	delete(w.complaints, code)
	return err
}
