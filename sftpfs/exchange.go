package sftpfs

import (
	"errors"
	"io"
	"slices"
)

// Requests of the package's own go over the same channels as those of pkg/sftp, beside them: several are sent together,
// where pkg/sftp would wait for each answer before it sends the next one.

const (
	// firstOwnID and lastOwnID bound the ids of such requests. pkg/sftp counts its own from 1; should it ever have made
	// spentID requests on one channel, there are no more of this package's own there.
	firstOwnID = lastOwnID - 1<<20
	lastOwnID  = 1<<32 - 1
	spentID    = 1 << 31

	// mostSpare is how large an outbox may have become to be used again.
	mostSpare = 256 << 10
)

// errUnforeseen says that it can't be told which handle a request will get.
var errUnforeseen = errors.New("the handle is not known before")

// exchange sends requests together, in their order, and returns the replies, in the order of the requests. It fails if
// the channel ends before they are all there, and with errUnforeseen where request does.
func (w *wire) exchange(requests ...message) ([]reply, error) {
	replies := make([]reply, len(requests))
	all := make(chan struct{})
	left := len(requests) // of the goroutine that reads
	err := w.request(requests, func(i int, r reply) {
		replies[i] = r
		if left--; left == 0 {
			close(all)
		}
	})
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

// request sends a few requests together, in one turn, and returns when they are sent. take gets each reply with the
// number of its request, and must not wait; it gets none if the channel ends before. If some are about the handle that the
// first one opens, the last one closes it. Then nothing may be sent, for which the error is errUnforeseen.
func (w *wire) request(requests []message, take func(i int, r reply)) error {
	if err := w.enqueue(requests, take); err != nil {
		return err
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	return w.drain(nil)
}

// enqueue has requests go out together, before the next one does.
func (w *wire) enqueue(requests []message, take func(i int, r reply)) error {
	if err := w.turn(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	foretold := ""
	if slices.ContainsFunc(requests, func(m message) bool { return m.ofOpened }) {
		var ok bool
		if foretold, ok = w.handles.next(); !ok {
			<-w.turns
			return errUnforeseen
		}
	}
	path := requests[0].path()
	for i, m := range requests {
		id := w.nextID()
		r := request{kind: m.kind, path: path, ends: i == len(requests)-1, take: func(r reply) { take(i, r) }}
		if i == 0 {
			r.foretold = foretold
		}
		r.listed = w.tally(m.kind, fields{b: m.about(foretold).body})
		if foretold == "" {
			w.handles.send(m.kind, m.body)
		}
		w.await(id, r)
		w.outbox = m.appendTo(w.outbox, id, foretold)
	}
	return nil
}

// nextID returns one that no request waits with. w.mu is held.
func (w *wire) nextID() uint32 {
	for {
		if w.lastID < firstOwnID || w.lastID == lastOwnID {
			w.lastID = firstOwnID
		} else {
			w.lastID++
		}
		if _, ok := w.awaited[w.lastID]; !ok {
			return w.lastID
		}
	}
}

// drain writes what is in the outbox, and what others put there meanwhile. Then it calls next, if there is one, before
// there can be more. w.writing is held.
func (w *wire) drain(next func()) error {
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
		if cap(b) <= mostSpare {
			w.mu.Lock()
			w.spare = b[:0]
			w.mu.Unlock()
		}
	}
}

// exhausted tells whether there are no ids left for requests of the package's own.
func (w *wire) exhausted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spent
}
