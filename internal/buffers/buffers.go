// Package buffers lends memory for transfers.
package buffers

import "sync"

// Chunk is how much of a file is copied at once, in bytes.
const Chunk = 256 << 10

// unused are those that nobody uses. A call that was given up keeps its own.
var unused sync.Pool

// Borrow returns a buffer of that length, whose content is arbitrary.
func Borrow(size int) []byte {
	if b, ok := unused.Get().(*[]byte); ok && cap(*b) >= size {
		return (*b)[:size]
	}
	return make([]byte, size)
}

// GiveBack takes a buffer that the caller does not use any more.
func GiveBack(b []byte) {
	if cap(b) > 0 {
		unused.Put(&b)
	}
}
