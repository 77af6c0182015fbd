package syncfs

import (
	"context"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/lateremote"
)

// armLine has the context of a push end at one of its operations, or some of its requests get no answer.
func (m *machine) armLine(t *trouble) {
	left := m.delay()
	most := rapid.IntRange(1, 3).Draw(m.rt, "requests")
	ctx, cancel := context.WithCancel(t.ctx)
	t.ctx = ctx
	m.line.Decide(func(op lateremote.Op) lateremote.Fate {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.kind == "late" && op.Change < 0 {
			return lateremote.Pass
		}
		if left--; left >= 0 || most == 0 {
			return lateremote.Pass
		}
		t.line = true
		if t.kind == "late" {
			most--
			m.count.late.Add(1)
			return lateremote.Hold
		}
		most = 0
		m.count.cancels.Add(1)
		cancel()
		return lateremote.Wait
	})
}

// deliver executes some of the requests that got no answer, in any order. At the latest after one more push, with nothing
// queued, that has changed nothing.
func (m *machine) deliver(n int) {
	n = min(n, len(m.line.Held()))
	if n == 0 {
		return
	}
	for range n {
		held := m.line.Held()
		i := rapid.IntRange(0, len(held)-1).Draw(m.rt, "request")
		m.rt.Logf("late: %v: %v", held[i], m.line.Deliver(i))
	}
	require.Empty(m.rt, m.store.seen())
	if m.uncertain || m.held != nil || len(m.fs.Pending()) > 0 {
		m.doubt()
		if m.held == nil {
			m.wayOut()
		}
		return
	}
	_, err := m.fs.Push(context.Background())
	require.NoError(m.rt, err)
	m.pushed()
}
