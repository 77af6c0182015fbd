package sftpfs

// Channels returns how many SFTP channels there are, and on how many connections.
func (f *Fs) Channels() (channels, connections int) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.live()), len(m.connections)
}
