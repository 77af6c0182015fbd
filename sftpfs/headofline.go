package sftpfs

import (
	"math"
	"sync/atomic"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A server that works on one request of a channel at a time, as OpenSSH's does, has head-of-line blocking: it answers none of the
// requests that were sent behind one that blocks. That one is the blocker. The calls whose requests wait behind it can be made
// elsewhere; its own call would only block another channel, so it is made again on one where no other call is.

// lastRequest is the last one of a call.
type lastRequest struct {
	before atomic.Uint64 // how many requests were sent on the session before it, at least
	path   atomic.Uint64 // wire.HashPath of what it is about
}

// newLastRequest is of a call that has sent nothing, which has not sent the blocker.
func newLastRequest() *lastRequest {
	var l lastRequest
	l.before.Store(math.MaxUint64)
	return &l
}

// asks records the request that the call is about to send.
func (r remote) asks(path uint64) {
	if r.asked != nil && r.wire != nil {
		r.asked.before.Store(r.wire.Sent())
		r.asked.path.Store(path)
	}
}

// mayBlock tells whether the blocker may be a request of the call.
func (r remote) mayBlock() bool {
	blocker := r.blocker.Load()
	if blocker == nil {
		return true
	}
	path := max(blocker.Path, blocker.File) // one of them is 0
	return r.asked.before.Load() <= blocker.Number && (path == 0 || path == r.asked.path.Load())
}

// blockedBy tells whether the session was given up because of a request about the open file p.
func (r remote) blockedBy(p string) bool {
	blocker := r.blocker.Load()
	return r.givenUp.Load() && blocker != nil && blocker.File == wire.HashPath(r.on(p))
}
