package mirror

import "sync"

// buffers are those that nobody uses any more. A call that was left to itself keeps its own.
var buffers sync.Pool

func borrow(size int) []byte {
	if b, ok := buffers.Get().(*[]byte); ok && cap(*b) >= size {
		return (*b)[:size]
	}
	return make([]byte, size)
}

func giveBack(b []byte) {
	if cap(b) > 0 {
		buffers.Put(&b)
	}
}
