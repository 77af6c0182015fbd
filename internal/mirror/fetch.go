package mirror

import (
	"errors"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// fetchAttempts is how often a fetch starts over because the remote's version changed under it.
const fetchAttempts = 3

// fetch makes a whole copy of the node's bytes, or joins the download that does.
func (m *FS) fetch(n *tree.Node, e expectation) error {
	for attempt := 1; ; attempt++ {
		var name string
		var size int64
		a, err := m.join(n, e, func(a *sharedDownload) {
			a.waiting++
			name, size = n.Path(), n.Meta.Size
		})
		if a == nil {
			return err
		}
		gauge := m.meter.Begin(name, size, a.Arrived)
		a.Want()
		select {
		case <-a.Closed:
			err = a.Result()
		case <-m.ctx.Done():
			err = m.ctx.Err()
		}
		gauge.End()
		a.leave(&a.waiting, false)
		if errors.Is(err, download.ErrSuperseded) {
			return nil // who asked looks again
		}
		if !errors.Is(err, ErrChanged) || attempt == fetchAttempts {
			return err
		}
	}
}

// present says whether the node's bytes are here, and are what the view shows.
func present(n *tree.Node) bool {
	return n.Local() && (n.Content() != tree.Owned || !n.Copy().Stale)
}

// await waits for the end of a node's download, if there is one.
func (v *View) await(n *tree.Node) error {
	return need{func(m *FS, _ *knowledge) error {
		m.mu.Lock()
		a := m.joinable[n.ID]
		m.mu.Unlock()
		if a == nil {
			return nil
		}
		select {
		case <-a.Done: // who asked looks again
			return nil
		case <-m.ctx.Done():
			return m.ctx.Err()
		}
	}}
}
