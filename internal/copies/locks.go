package copies

// streamLock is the rank of Stream.mu, for lockorder. See package mirror for the order of all locks.
type streamLock struct{}

func (streamLock) Rank() int   { return 4 }
func (streamLock) Waits() bool { return true }
