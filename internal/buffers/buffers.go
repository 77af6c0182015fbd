// Package buffers lends memory for transfers.
package buffers

import "sync"

// Chunk is the number of bytes of a file that are copied at once.
const Chunk = 256 << 10

// unused holds the buffers that were given back. An abandoned call keeps its buffer.
var unused sync.Pool

// Borrow returns a buffer of that length with arbitrary content.
func Borrow(size int) []byte {
	if b, ok := unused.Get().(*[]byte); ok && cap(*b) >= size {
		return (*b)[:size]
	}
	return make([]byte, size)
}

// GiveBack returns a buffer, which the caller must not use any more.
func GiveBack(b []byte) {
	if cap(b) > 0 {
		unused.Put(&b)
	}
}
