package mirror

// transit counts the local bytes that no node owns: what downloads have reserved, and what is kept of those that were
// cut. Whoever holds some sets how much that is, so that no order of events can have it counted twice.
type transit struct {
	held map[any]int64 // by *arrival and *partial
	sum  int64
}

// set takes note of how much a holder has now.
func (t *transit) set(holder any, size int64) {
	t.sum += size - t.held[holder]
	if size == 0 {
		delete(t.held, holder)
	} else {
		put(&t.held, holder, size)
	}
}

func (t *transit) bytes() int64 { return t.sum }
