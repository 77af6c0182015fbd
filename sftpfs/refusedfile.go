package sftpfs

import (
	"context"
	"maps"
	"slices"
)

// A refusal to open a file is due to a limit if
//
//   - at least as many files were open as were ever open together, and
//   - the server also refuses to open one of the open files again.
//
// Then waiting for one of them to be closed helps. If it does not, the server refuses the file itself.

// refusedFor reports whether the file may have been refused in the turn t because too many were open, and is to be
// opened again in another turn.
func (f *openFiles) refusedFor(ctx context.Context, t *turn) bool {
	for _, other := range f.unanswered() { // it may have opened a file before t was refused
		select {
		case <-other.answered:
		case <-ctx.Done():
			return false
		}
	}
	select {
	case f.probing <- struct{}{}:
		defer func() { <-f.probing }()
	case <-ctx.Done():
		return false
	}
	known, again := f.verdict(t)
	if known {
		return again
	}
	probe, _ := f.turn(true)
	o, quiet, closed := f.anyOpen()
	refusesAgain := o.refusesAgain()
	f.answer(probe, !refusesAgain)
	f.end(probe, false)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !refusesAgain && quiet && f.closing == 0 && f.closed == closed {
		f.most = max(f.most, t.peak+1)
		return false
	}
	f.suppose(t)
	return true
}

// suppose takes what was open in the turn t for the limit. f.mu is held.
func (f *openFiles) suppose(t *turn) {
	f.limit, f.proven = t.peak, false
}

func (f *openFiles) unanswered() []*turn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Collect(maps.Keys(f.turns)), func(t *turn) bool { return isClosed(t.answered) })
}

// verdict returns whether the file is to be opened again, if that is known.
func (f *openFiles) verdict(t *turn) (known, again bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case t.peak == 0 || t.peak < f.most:
		if !f.proven && f.limit > 0 {
			f.limit = 0 // waiting has not helped
			f.wake()
		}
		return true, false
	case f.limit > 0 && t.peak >= f.limit:
		return true, true
	case len(f.open) < t.peak: // one was closed since, which may help
		f.suppose(t)
		return true, true
	}
	return false, false
}

// anyOpen returns a file that is open, whether none is being closed, and how many were closed so far.
func (f *openFiles) anyOpen() (o *opened, quiet bool, closed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for o = range f.open {
		break
	}
	return o, f.closing == 0, f.closed
}

// refusesAgain reports whether the server refuses to open the file once more. No file is one that was closed meanwhile.
func (o *opened) refusesAgain() bool {
	if o == nil {
		return false
	}
	h, err := o.client.Open(o.handle.Name())
	if err == nil {
		h.Close()
	}
	return declined(o.reduce(err))
}
