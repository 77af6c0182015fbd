package download

// An Event happens once. It is a channel that is closed then, by the package alone.
type Event chan struct{}

// Happened says whether it has.
func (e Event) Happened() bool {
	select {
	case <-e:
		return true
	default:
		return false
	}
}

// happen has it happen, if it has not. It is called by one goroutine at a time.
func (e Event) happen() {
	if !e.Happened() {
		close(e)
	}
}
