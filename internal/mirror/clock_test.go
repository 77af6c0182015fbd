package mirror

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClock(t *testing.T) {
	t.Parallel()
	local := time.Unix(2_000_000, 0)
	server := time.Unix(1_000_000, 0).UnixNano()
	c := clock{server, local}
	for _, x := range []struct {
		what string
		c    clock
		at   time.Time
		want int64
	}{
		{"compared now", c, local, server},
		{"compared before", c, local.Add(time.Minute), server + int64(time.Minute)},
		{"compared since", c, local.Add(-time.Minute), server - int64(time.Minute)},
		{"compared long ago", c, local.Add(2 * time.Hour), local.Add(2*time.Hour - maxAhead).UnixNano()},
		{"compared long after", c, local.Add(-2 * time.Hour), local.Add(-2*time.Hour - maxAhead).UnixNano()},
		{"not compared", clock{}, local, local.Add(-maxAhead).UnixNano()},
	} {
		require.Equal(t, x.want, x.c.at(x.at), x.what)
	}
}
