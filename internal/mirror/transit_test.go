package mirror

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The sum is that of what the holders set last, however often and in whatever order.
func TestTransit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var counted transit
		holders := []any{&partial{}, &partial{}, &arrival{}, &arrival{}, (*partial)(nil)}
		last := map[any]int64{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			h := rapid.SampledFrom(holders).Draw(t, "holder")
			last[h] = rapid.Int64Range(0, 5).Draw(t, "size")
			counted.set(h, last[h])
			var sum int64
			for _, size := range last {
				sum += size
			}
			require.Equal(t, sum, counted.sum.Int64())
		}
		for _, h := range holders {
			counted.set(h, 0)
		}
		require.Zero(t, counted.sum.Int64())
		require.Empty(t, counted.held)
	})
}
