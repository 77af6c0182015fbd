package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// firstLocalStatus is the first of the status codes that stand for errors of the Wire itself.
const firstLocalStatus = 1 << 31

var errMalformed = errors.New("the server sent a malformed packet")

// Read returns what the server sends, checked. An impossible packet ends the Wire.
func (w *Wire) Read(b []byte) (int, error) {
	for len(w.held) == 0 && w.pass == 0 {
		if err := w.next(); err != nil {
			if w.pipelinedInit && !w.Initialized() {
				err = notStarted(err)
			}
			return 0, w.fail(err)
		}
	}
	if len(w.held) > 0 {
		n := copy(b, w.held)
		w.held = w.held[n:]
		return n, nil
	}
	n, err := w.in.Read(b[:min(len(b), w.pass)])
	w.pass -= n
	if err != nil {
		err = w.fail(err)
	}
	return n, err
}

// fail ends the Wire, because nothing can be read any more, and returns err. Otherwise, pkg/sftp would wait for a request that
// waits for its turn.
func (w *Wire) fail(err error) error {
	w.failure.Store(&err)
	w.Close()
	return err
}

// Explain returns the reason why the Wire has ended, if it is known, and otherwise err.
func (w *Wire) Explain(err error) error {
	switch failure := w.failure.Load(); {
	case failure != nil && *failure != io.EOF:
		return *failure
	case w.pipelinedInit && !w.Initialized():
		return notStarted(err)
	}
	return err
}

// next reads the beginning of the next packet. If the packet answers a pipelined request, next reads and delivers all
// of it.
func (w *Wire) next() error {
	header := w.header[:headerSize]
	if _, err := io.ReadFull(w.in, header[:4]); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(header)
	if length < headerSize-4 || length > MaxPacket {
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
	p, ok := w.answer(id)
	switch {
	case !ok:
		return errors.New("the server answers what it was not asked")
	case kind == packetHandle && w.pass > 4+maxHandle:
		return fmt.Errorf("%w: a handle of %d bytes", errMalformed, w.pass-4)
	case kind == packetName && p.kind == packetReaddir:
		return w.names(p, id)
	case p.take != nil:
		body, err := w.rest()
		if err == nil {
			p.take(w.opened(p, Reply{kind: kind, body: body}))
		}
		return err
	case kind == packetStatus:
		w.opened(p, Reply{kind: kind})
		return w.status(p, id)
	case kind == packetHandle:
		header := w.held
		body, err := w.rest()
		w.opened(p, Reply{kind: kind, body: body})
		w.held = append(header, body...)
		return err
	case kind == packetData && p.kind == packetRead:
		return w.data(p, id)
	}
	return nil
}

// rest reads the rest of the packet, and keeps the packet from pkg/sftp.
func (w *Wire) rest() ([]byte, error) {
	b := make([]byte, w.pass)
	_, err := io.ReadFull(w.in, b)
	w.held, w.pass = nil, 0
	return b, err
}

// status fails if the server says OK to a request that needs an answer with data. It turns EOF into a failure if the
// request has no end, and so a code that the Wire reserves for itself.
func (w *Wire) status(p pending, id uint32) error {
	body, err := w.rest()
	if err != nil {
		return err
	}
	code, message, ok := parseStatus(body)
	switch {
	case !ok:
		return errMalformed
	case code == StatusOK && answersWithData(p.kind):
		return errors.New("the server says OK where an answer is due")
	case code == StatusEOF && !ends(p.kind), code >= firstWorded:
		code = StatusFailure
	}
	w.held = statusPacket(id, worded(code, message), message)
	return nil
}

// data fails if the server sends more bytes than were asked for. It turns an answer without data into EOF.
func (w *Wire) data(p pending, id uint32) error {
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
	case n > p.length:
		return fmt.Errorf("the server sent %d bytes, %d were asked for", n, p.length)
	case n == 0:
		_, err := w.rest()
		w.held = statusPacket(id, StatusEOF, nil)
		return err
	}
	return nil
}

// names fails the request for a listing that contains impossible names, or has no end.
func (w *Wire) names(p pending, id uint32) error {
	header := w.held
	body, err := w.rest()
	if err != nil {
		return err
	}
	err = p.listing.add(body, w.maxListing)
	switch {
	case errors.Is(err, errMalformed):
		return err
	case p.take != nil:
		p.take(Reply{packetName, body, err})
	case err != nil:
		w.held = statusPacket(id, w.localStatus(err), nil)
	default:
		w.held = append(header, body...)
	}
	return nil
}

// localStatus returns a status code that stands for err.
func (w *Wire) localStatus(err error) uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	code := firstLocalStatus + w.localCount
	w.localCount = (w.localCount + 1) % firstLocalStatus
	w.localErrors[code] = err
	return code
}

// LocalError returns the error of the Wire itself for which pkg/sftp received a status with this code, nil if the
// status came from the server. It returns each error once.
func (w *Wire) LocalError(code uint32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.localErrors[code]
	delete(w.localErrors, code)
	return err
}
