package mirror

import "github.com/sftpsyncer/go-syncfs/internal/tree"

// transit counts the local bytes that no node owns: what downloads have reserved, and what is kept of those that were
// cut. Whoever holds some sets how much that is, so that no order of events can have it counted twice.
type transit struct {
	held map[any]int64 // by *arrival and *partial
	sum  tree.Sum
}

// set takes note of how much a holder has now.
func (t *transit) set(holder any, size int64) {
	t.sum.Sub(t.held[holder])
	t.sum.Add(size)
	if size == 0 {
		delete(t.held, holder)
	} else {
		put(&t.held, holder, size)
	}
}
