package sftpfs

// Channels returns how many SFTP channels there are, and on how many connections.
func (f *Fs) Channels() (channels, connections int) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.live()), len(m.connections)
}

// Foretelling tells on how many channels the next handle of the server is foretold, and on how many it no longer is.
func (f *Fs) Foretelling() (right, wrong int) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.live() {
		s.wire.mu.Lock()
		if s.wire.handles.erring {
			wrong++
		} else {
			right++
		}
		s.wire.mu.Unlock()
	}
	return right, wrong
}

// Received returns how many bytes have come over each SFTP channel that there is.
func (f *Fs) Received() (bytes []uint64) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.live() {
		bytes = append(bytes, s.wire.received.Load())
	}
	return bytes
}

// Awaited returns how many requests have no answer.
func (f *Fs) Awaited() (requests int) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.live() {
		s.wire.mu.Lock()
		requests += len(s.wire.awaited)
		s.wire.mu.Unlock()
	}
	return requests
}
