package wire

import "hash/maphash"

// A Pending is a request that the server has not answered.
type Pending struct {
	// Number is how many requests were sent before this one.
	Number uint64
	// Path is HashPath of the path that the request names; 0: none, or unknown. Pipelined requests that are sent
	// together have the Path of the first one.
	Path uint64
	// File is HashPath of the path that was opened to get the handle in the request; 0: no handle, or unknown.
	File uint64
}

// A pending is a Pending with what the Wire needs to check and deliver the answer.
type pending struct {
	Pending
	kind      byte
	length    uint32   // of a READ
	listing   *listing // of a READDIR
	endsTurn  bool
	predicted string      // the handle predicted for the request, and used by requests sent with it; "": none
	take      func(Reply) // gets the answer to a pipelined request, in the goroutine that reads; must not block
}

// register records a request of pkg/sftp, to check its answer. w.mu is held.
func (w *Wire) register(kind byte, body []byte) {
	f := fields{b: body}
	id := f.uint32()
	r := Request{kind: kind, body: f.b}
	p := pending{kind: kind, endsTurn: true}
	p.Path, p.File = r.PathHash(), w.paths[string(r.handle())]
	w.prediction.send(kind, f.b)
	w.spent = w.spent || id >= spentID
	if p.listing = w.listing(kind, f); kind == packetRead {
		f.string()
		f.uint64()
		p.length = f.uint32()
	}
	if kind == packetWrite {
		w.leaves(p, fields{b: r.body})
	}
	w.await(id, p)
}

// listing returns the listing to which the answer to a READDIR belongs, nil for other requests. A CLOSE ends the
// listing, because the next one may have the same handle. w.mu is held.
func (w *Wire) listing(kind byte, body fields) *listing {
	switch kind {
	case packetReaddir:
		handle := body.string()
		if w.listings[handle] == nil {
			w.listings[handle] = new(listing)
		}
		return w.listings[handle]
	case packetClose:
		handle := body.string()
		delete(w.listings, handle)
		delete(w.paths, handle)
	}
	return nil
}

// await records that p, the next request to be written, waits for an answer with this id. w.mu is held.
func (w *Wire) await(id uint32, p pending) {
	p.Number = w.sent
	w.sent++
	w.pending[id] = p
	if n := len(w.pending); n > w.peak {
		w.peak, w.peakSent = n, w.sent
	}
}

// answer returns the request that the answer with this id belongs to, and forgets it.
func (w *Wire) answer(id uint32) (pending, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.pending[id]
	if ok {
		delete(w.pending, id)
		w.prediction.failed = w.prediction.failed || p.Number != w.answered
		if w.answered++; w.answered >= w.peakSent {
			w.depth = w.peak
		}
		if p.endsTurn {
			<-w.turns
		}
	}
	return p, ok
}

// opened records the answer to a request that opens something. If the handle is not the predicted one, it returns an
// empty reply, because the requests sent with it were about something else.
func (w *Wire) opened(p pending, r Reply) Reply {
	if p.kind != packetOpen && p.kind != packetOpendir {
		return r
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.prediction.answer(p.predicted, r) {
		return Reply{}
	}
	if handle, err := r.Handle(); err == nil && p.predicted == "" { // otherwise it is closed by now
		w.paths[handle] = p.Path
	}
	return r
}

// Sent returns how many requests were sent.
func (w *Wire) Sent() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// Unanswered returns how many requests have no answer yet.
func (w *Wire) Unanswered() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pending)
}

// Depth returns the largest number of requests that waited for their answers at a time, and are answered by now.
func (w *Wire) Depth() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.depth
}

// Oldest returns the oldest request that has no answer yet; false: there is none.
func (w *Wire) Oldest() (oldest Pending, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.pending {
		if !ok || p.Number < oldest.Number {
			oldest, ok = p.Pending, true
		}
	}
	return oldest, ok
}

var hashSeed = maphash.MakeSeed()

// HashPath returns a hash that tells the paths on a server apart, within this process. It is never 0.
func HashPath(path string) uint64 { return max(maphash.String(hashSeed, path), 1) }
