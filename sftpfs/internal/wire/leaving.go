package wire

// A departure is a WRITE of an open file, by HashPath of the path that was opened, and the offset.
type departure struct{ file, offset uint64 }

// NotifyWrite calls left once, when nothing that is sent later can overtake the next WRITE at this offset of the open
// file, which is known by HashPath of its path. left must not block. The caller calls forget when the WRITE is answered
// or was not sent.
func (w *Wire) NotifyWrite(file, offset uint64, left func()) (forget func()) {
	d := departure{file, offset}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.departures[d] = left
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.departures, d)
	}
}

// leaves records that a WRITE is about to be written. w.mu is held.
func (w *Wire) leaves(p pending, body fields) {
	if len(w.departures) == 0 {
		return
	}
	body.bytes() // the handle
	d := departure{p.File, body.uint64()}
	if left := w.departures[d]; left != nil {
		delete(w.departures, d)
		left()
	}
}
