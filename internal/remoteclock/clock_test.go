package remoteclock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClock(t *testing.T) {
	t.Parallel()
	local := time.Unix(2_000_000, 0)
	server := time.Unix(1_000_000, 0).UnixNano()
	now := func() time.Time { return local }
	c, never := New(now), New(now)
	c.Compare(server)
	require.True(t, c.Compared())
	require.False(t, never.Compared())
	require.Equal(t, server, c.Now().UnixNano())
	for _, x := range []struct {
		what string
		c    *Clock
		at   time.Time
		want int64
	}{
		{"compared now", c, local, server},
		{"compared before", c, local.Add(time.Minute), server + int64(time.Minute)},
		{"compared since", c, local.Add(-time.Minute), server - int64(time.Minute)},
		{"compared long ago", c, local.Add(2 * time.Hour), local.Add(2*time.Hour - maxAhead).UnixNano()},
		{"compared long after", c, local.Add(-2 * time.Hour), local.Add(-2*time.Hour - maxAhead).UnixNano()},
		{"not compared", never, local, local.Add(-maxAhead).UnixNano()},
	} {
		require.Equal(t, x.want, x.c.At(x.at), x.what)
	}
}

func TestUnsure(t *testing.T) {
	t.Parallel()
	const mtime = int64(1_000_000 * time.Second)
	for _, c := range []struct {
		what   string
		mtime  int64
		passed time.Duration
		want   bool
	}{
		{"whole second, same moment", mtime, 0, true},
		{"whole second, a second later", mtime, time.Second, true},
		{"whole second, just before it is over", mtime, 2*time.Second - 1, true},
		{"whole second, over", mtime, 2 * time.Second, false},
		{"whole second, long over", mtime, time.Hour, false},
		{"from a clock that is ahead", mtime, -time.Hour, true},
		{"exact", mtime + 1, 0, false},
		{"exact, ahead", mtime + 1, -time.Hour, false},
		{"before 1970", -mtime, 3 * time.Second, false},
		{"before 1970, just now", -mtime, 0, true},
	} {
		require.Equal(t, c.want, Unsure(c.mtime, c.mtime+int64(c.passed)), c.what)
	}
}
