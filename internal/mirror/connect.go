package mirror

import (
	"context"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
)

// Connect makes the remote connect in the background while the caller prepares its first request. That request reports
// any error.
func (m *FS) Connect() {
	r, ok := m.remote.Base().(contract.Connecter)
	if !ok {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed() {
		return
	}
	ctx, cancel := context.WithCancel(m.stop)
	stop := context.AfterFunc(m.ctx, cancel)
	m.workers.Go(func() {
		defer cancel()
		defer stop()
		_ = r.Connect(ctx)
	})
}
