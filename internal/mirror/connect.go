package mirror

import (
	"context"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
)

// Connect has the remote connect while this side finds out what to ask of it. Nobody waits for that: why it failed, the
// first request will say.
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
