package sftpfs

// Channels returns how many SFTP channels there are, and on how many connections.
func (f *Fs) Channels() (channels, connections int) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.live()), len(m.connections)
}

// Measured tells whether the round trip is known, after which nothing is sent that is not asked for.
func (f *Fs) Measured() bool {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.connections) > 0 && m.connections[0].roundTrip.Load() > 0
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
