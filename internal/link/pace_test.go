package link

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPace(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	now := time.Unix(1e9, 0)
	p := pace{delay: 50 * ms, bandwidth: 1000}
	require.Equal(t, now.Add(60*ms), p.arrival(now, 10))
	require.Equal(t, now.Add(80*ms), p.arrival(now, 20), "behind the first")
	require.Equal(t, now.Add(90*ms), p.arrival(now.Add(25*ms), 10))
	require.Equal(t, now.Add(-60*ms), p.ready())
	require.Equal(t, now.Add(151*ms), p.arrival(now.Add(100*ms), 1), "the link was free")
	p.arrival(now.Add(100*ms), 200)
	require.Equal(t, now.Add(201*ms), p.ready(), "the queue is full until then")

	p = pace{delay: 50 * ms}
	for range 1000 {
		require.Equal(t, now.Add(50*ms), p.arrival(now, 1<<20))
	}
	require.True(t, p.ready().Before(now))
}

// Whoever comes late does not make the rest late: 1 ms of work a chunk is lost in a link that takes 1 ms a chunk.
func TestPaceKeepsUp(t *testing.T) {
	t.Parallel()
	began := time.Unix(1e9, 0)
	p := pace{bandwidth: 1000}
	var last time.Time
	for i := range 1000 {
		last = p.arrival(began.Add(time.Duration(i)*time.Millisecond), 1)
	}
	require.Equal(t, began.Add(time.Second), last)
}
