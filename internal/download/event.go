package download

// Event is something that happens once. It is a channel that this package closes when it happens.
type Event chan struct{}

// Happened reports whether the event has happened.
func (e Event) Happened() bool {
	select {
	case <-e:
		return true
	default:
		return false
	}
}

// happen makes the event happen, if it has not. Only one goroutine at a time may call it.
func (e Event) happen() {
	if !e.Happened() {
		close(e)
	}
}
