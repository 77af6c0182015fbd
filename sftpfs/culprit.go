package sftpfs

import (
	"math"
	"sync/atomic"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A server that works on one request of a channel at a time, as OpenSSH's does, answers none that was sent behind one that
// blocks. That one is the culprit. The calls whose requests wait behind it can be made elsewhere; its own call would only
// block another channel, so it is made again on one where no other call is.

// lastAsked is what a call has asked last.
type lastAsked struct {
	before atomic.Uint64 // how many requests were sent on the session before it, at least
	path   atomic.Uint64 // wire.HashPath of what it is about
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
		r.asked.before.Store(r.wire.Sent())
		r.asked.path.Store(path)
	}
}

// mayBlock tells whether the culprit may be the call's own request.
func (r remote) mayBlock() bool {
	culprit := r.culprit.Load()
	if culprit == nil {
		return true
	}
	path := max(culprit.Path, culprit.File) // one of them is 0
	return r.asked.before.Load() <= culprit.Number && (path == 0 || path == r.asked.path.Load())
}

// blockedBy tells whether the session was given up because of a request about the open file p.
func (r remote) blockedBy(p string) bool {
	culprit := r.culprit.Load()
	return r.givenUp.Load() && culprit != nil && culprit.File == wire.HashPath(r.on(p))
}
