package wire

import (
	"errors"
	"io"
	"slices"
)

// Pipelined requests share the channel with those of pkg/sftp. Several of them are sent together, where pkg/sftp would
// wait for each answer before it sends the next request.

const (
	// firstOwnID and lastOwnID bound the ids of pipelined requests. pkg/sftp counts its own ids from 1. Once it has
	// used spentID on a channel, Spent reports that no more requests can be pipelined there.
	firstOwnID = lastOwnID - 1<<20
	lastOwnID  = 1<<32 - 1
	spentID    = 1 << 31

	// maxSpare is the maximum capacity in bytes of an outbox that is used again.
	maxSpare = 256 << 10
)

// ErrNotPredicted says that the handle that a request will get cannot be predicted.
var ErrNotPredicted = errors.New("the handle is not known before")

// Exchange sends requests together, in order, and returns the replies, in the same order. It fails if the channel ends
// before all replies have arrived, and with ErrNotPredicted like Send.
func (w *Wire) Exchange(requests ...Request) ([]Reply, error) {
	replies := make([]Reply, len(requests))
	all := make(chan struct{})
	left := len(requests) // used only by the goroutine that reads
	err := w.Send(func(i int, r Reply) {
		replies[i] = r
		if left--; left == 0 {
			close(all)
		}
	}, requests...)
	if err != nil {
		return nil, err
	}
	select {
	case <-all:
		return replies, nil
	case <-w.closed:
		return nil, io.ErrUnexpectedEOF
	}
}

// Send sends a few requests together, as one turn, and returns when they are written. It calls take with each reply and
// the index of its request, in the goroutine that calls Read, so take must not block. If the channel ends, take is not
// called for the missing replies. If some requests are about the handle that the first one opens, the last one has to
// close it. If that handle cannot be predicted, Send sends nothing and returns ErrNotPredicted.
func (w *Wire) Send(take func(i int, r Reply), requests ...Request) error {
	if err := w.enqueue(take, requests); err != nil {
		return err
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	return w.drain(nil)
}

// Enqueue is like Send, but the requests wait until other requests are sent, and go out right before those. If one request
// at a time may be in flight, they do not wait, because the others would wait for their answers.
func (w *Wire) Enqueue(take func(i int, r Reply), requests ...Request) error {
	if cap(w.turns) == 1 {
		return w.Send(take, requests...)
	}
	return w.enqueue(take, requests)
}

func (w *Wire) enqueue(take func(i int, r Reply), requests []Request) error {
	if err := w.turn(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	predicted := ""
	if slices.ContainsFunc(requests, func(r Request) bool { return r.onOpened }) {
		var ok bool
		if predicted, ok = w.prediction.next(); !ok {
			<-w.turns
			return ErrNotPredicted
		}
	}
	path := requests[0].PathHash()
	for i, r := range requests {
		id := w.nextID()
		p := pending{kind: r.kind, endsTurn: i == len(requests)-1, take: func(r Reply) { take(i, r) }}
		if p.Path = path; i == 0 {
			p.predicted = predicted
		}
		p.listing = w.listing(r.kind, fields{b: r.OnHandle(predicted).body})
		if predicted == "" {
			w.prediction.send(r.kind, r.body)
		}
		w.await(id, p)
		w.outbox = r.appendTo(w.outbox, id, predicted)
	}
	return nil
}

// nextID returns an id that no pending request has. w.mu is held.
func (w *Wire) nextID() uint32 {
	for {
		if w.lastID < firstOwnID || w.lastID == lastOwnID {
			w.lastID = firstOwnID
		} else {
			w.lastID++
		}
		if _, ok := w.pending[w.lastID]; !ok {
			return w.lastID
		}
	}
}

// drain writes what is in the outbox, also what is added meanwhile. Then it calls next, if not nil, before more can be
// added. w.writing is held.
func (w *Wire) drain(next func()) error {
	for {
		w.mu.Lock()
		b := w.outbox
		if len(b) > 0 {
			w.outbox, w.spare = w.spare, nil
		} else if next != nil {
			next()
		}
		w.mu.Unlock()
		if len(b) == 0 {
			return nil
		}
		if _, err := w.channel.Write(b); err != nil {
			return err
		}
		if cap(b) <= maxSpare {
			w.mu.Lock()
			w.spare = b[:0]
			w.mu.Unlock()
		}
	}
}

// Spent reports whether the ids for pipelined requests are used up.
func (w *Wire) Spent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spent
}
