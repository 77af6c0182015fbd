package mirror

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDue(t *testing.T) {
	t.Parallel()
	const checked = int64(1_000_000 * time.Second)
	for _, c := range []struct {
		what       string
		revalidate time.Duration
		passed     time.Duration
		want       bool
	}{
		{"never", 0, 0, false},
		{"never, long ago", 0, 1000 * time.Hour, false},
		{"never, clock set back", 0, -time.Hour, false},
		{"always, just now", Always, 0, true},
		{"always, long ago", Always, time.Hour, true},
		{"always, clock set back", Always, -time.Hour, true},
		{"not yet", time.Minute, time.Minute - 1, false},
		{"just now", time.Minute, 0, false},
		{"to the nanosecond", time.Minute, time.Minute, true},
		{"long ago", time.Minute, time.Hour, true},
		{"clock set back a little", time.Minute, -1, true},
		{"clock set back", time.Minute, -1000 * time.Hour, true},
		{"shortest", 1, 1, true},
	} {
		require.Equal(t, c.want, due(c.revalidate, checked, checked+int64(c.passed)), c.what)
	}
	require.True(t, due(time.Minute, 0, checked), "never checked")
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
		require.Equal(t, c.want, unsure(c.mtime, c.mtime+int64(c.passed)), c.what)
	}
}
