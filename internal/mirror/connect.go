package mirror

import (
	"context"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
)

// Connect lets the remote connect in the background while this side finds out what to ask. The first request reports an
// error, if there is one.
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
