package sftpfs

import (
	"errors"
	"time"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// Channels returns how many SFTP channels there are, and on how many connections.
func (f *Fs) Channels() (channels, connections int) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.live()), len(m.connections)
}

// Predicting tells on how many channels the next handle of the server is predicted, and on how many it no longer is. No request
// is in flight.
func (f *Fs) Predicting() (right, wrong int) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.live() {
		if predicts(s) {
			right++
		} else {
			wrong++
		}
	}
	return right, wrong
}

// predicts tells whether requests on a handle are sent before it is there.
func predicts(s *session) bool {
	_, err := s.wire.Exchange(wire.OpenRead(s.on("/no such file")), wire.CloseHandle())
	return !errors.Is(err, wire.ErrNotPredicted)
}

// Received returns how many bytes have come over each SFTP channel that there is.
func (f *Fs) Received() []uint64 { return f.Receiving()() }

// Receiving returns what tells how many bytes have come over each SFTP channel that there is now, also when it is given back.
func (f *Fs) Receiving() func() (bytes []uint64) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	live := m.live()
	return func() (bytes []uint64) {
		for _, s := range live {
			bytes = append(bytes, s.wire.Received())
		}
		return bytes
	}
}

// Awaited returns how many requests have no answer.
func (f *Fs) Awaited() (requests int) {
	m := f.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.live() {
		requests += s.wire.Unanswered()
	}
	return requests
}

// SetOpenPatience sets how long calls wait for a file to be closed before they fail.
func (f *Fs) SetOpenPatience(d time.Duration) { f.learnt.files.patience = d }
