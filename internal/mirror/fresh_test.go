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
