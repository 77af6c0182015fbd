package sftpfs

import (
	"hash/maphash"
	"math"
	"sync/atomic"
)

// A server that works on one request of a channel at a time, as OpenSSH's does, answers none that was sent behind one that
// blocks. That one is the culprit. The calls whose requests wait behind it can be made elsewhere; its own call would only
// block another channel, so it is made again on one where no other call is.

// lastAsked is what a call has asked last.
type lastAsked struct {
	before atomic.Uint64 // how many requests were sent on the session before it, at least
	path   atomic.Uint64 // hashOf what it is about
}

// newLastAsked is of a call that has asked nothing, which is not the culprit.
func newLastAsked() *lastAsked {
	var l lastAsked
	l.before.Store(math.MaxUint64)
	return &l
}

// asks notes what is about to be asked.
func (r remote) asks(path uint64) {
	if r.asked != nil && r.wire != nil {
		r.asked.before.Store(r.wire.requests())
		r.asked.path.Store(path)
	}
}

// mayBlock tells whether the culprit may be the call's own request.
func (r remote) mayBlock() bool {
	culprit := r.culprit.Load()
	if culprit == nil {
		return true
	}
	path := max(culprit.path, culprit.file) // one of them is 0
	return r.asked.before.Load() <= culprit.number && (path == 0 || path == r.asked.path.Load())
}

// blockedBy tells whether the session was given up because of a request about the open file p.
func (r remote) blockedBy(p string) bool {
	culprit := r.culprit.Load()
	return r.givenUp.Load() && culprit != nil && culprit.file == hashOf(r.on(p))
}

var hashSeed = maphash.MakeSeed()

// hashOf tells paths on a server apart; it is not 0.
func hashOf(path string) uint64 { return max(maphash.String(hashSeed, path), 1) }

// path returns hashOf the path that a message is about, as a call has it that asks; 0: none, or not known.
func (m message) path() uint64 {
	f := fields{b: m.body}
	switch m.kind {
	case packetOpen, packetOpendir, packetStat, packetLstat, packetReadlink, packetRealpath, packetSetstat, packetMkdir:
	case packetRename:
		f.bytes()
	case packetExtended:
		if string(f.bytes()) != extensionPosixRename {
			return 0
		}
		f.bytes()
	default:
		return 0
	}
	return max(maphash.Bytes(hashSeed, f.bytes()), 1)
}

// handle returns the handle that a message is about, nil if it is about none.
func (m message) handle() []byte {
	switch f := (fields{b: m.body}); m.kind {
	case packetClose, packetRead, packetWrite, packetFstat, packetFsetstat, packetReaddir:
		return f.bytes()
	default:
		return nil
	}
}

// requests returns how many were sent.
func (w *wire) requests() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// oldest returns the oldest request that has no answer, if there is one.
func (w *wire) oldest() (oldest request, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.awaited {
		if !ok || r.number < oldest.number {
			oldest, ok = r, true
		}
	}
	return oldest, ok
}
