package sftpfs

import (
	"math"
	"sync/atomic"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A server that works on one request of a channel at a time, as OpenSSH's does, has head-of-line blocking: while one
// request blocks, the requests sent after it are not answered. The request that blocks is the blocker. Calls that wait
// behind it can be made on another session. The blocker's own call would only block that session, too, so it is made
// again on a session that no other call uses.

// lastRequest is the last request of a call.
type lastRequest struct {
	before atomic.Uint64 // the session had sent at least so many requests before it
	path   atomic.Uint64 // wire.HashPath of its path
}

// newLastRequest is for a call that has sent nothing, and therefore not the blocker.
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

// mayBlock reports whether the blocker may be a request of this call.
func (r remote) mayBlock() bool {
	blocker := r.blocker.Load()
	if blocker == nil {
		return true
	}
	path := max(blocker.Path, blocker.File) // one of them is 0
	return r.asked.before.Load() <= blocker.Number && (path == 0 || path == r.asked.path.Load())
}

// blockedBy reports whether the session was given up because of a request about the open file p.
func (r remote) blockedBy(p string) bool {
	blocker := r.blocker.Load()
	return r.givenUp.Load() && blocker != nil && blocker.File == wire.HashPath(r.on(p))
}
