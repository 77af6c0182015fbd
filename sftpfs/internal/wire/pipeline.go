package wire

import (
	"errors"
	"io"
	"slices"
)

// Pipelined requests go over the same channel as those of pkg/sftp, beside them: several are sent together, where pkg/sftp
// would wait for each answer before it sends the next one.

const (
	// firstOwnID and lastOwnID bound the ids of pipelined requests. pkg/sftp counts its own from 1. Should it ever have made
	// spentID requests on one channel, no more are pipelined there.
	firstOwnID = lastOwnID - 1<<20
	lastOwnID  = 1<<32 - 1
	spentID    = 1 << 31

	// maxSpare is how large an outbox may have become to be used again.
	maxSpare = 256 << 10
)

// ErrNotPredicted says that the handle which a request will get cannot be predicted.
var ErrNotPredicted = errors.New("the handle is not known before")

// Exchange sends requests together, in their order, and returns the replies, in the order of the requests. It fails if the
// channel ends before all replies are there, and with ErrNotPredicted where Send does.
func (w *Wire) Exchange(requests ...Request) ([]Reply, error) {
	replies := make([]Reply, len(requests))
	all := make(chan struct{})
	left := len(requests) // of the goroutine that reads
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

// Send sends a few requests together, in one turn, and returns when they are sent. take gets each reply with the number of its
// request, in the goroutine that calls Read: it must not wait. It gets none if the channel ends before. If some requests are
// about the handle that the first one opens, the last one has to close it. If that handle cannot be predicted, nothing is sent,
// and the error is ErrNotPredicted.
func (w *Wire) Send(take func(i int, r Reply), requests ...Request) error {
	if err := w.Enqueue(take, requests...); err != nil {
		return err
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	return w.drain(nil)
}

// Enqueue is Send for requests that wait until others are sent, and then go out before them.
func (w *Wire) Enqueue(take func(i int, r Reply), requests ...Request) error {
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

// nextID returns an id that no request waits with. w.mu is held.
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

// drain writes what is in the outbox, and what others put there meanwhile. Then it calls next, if that is not nil, before there
// can be more. w.writing is held.
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

// Spent tells whether there are no ids left for pipelined requests.
func (w *Wire) Spent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spent
}
