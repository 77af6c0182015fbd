package download

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The sum is that of what the holders set last, however often and in whatever order.
func TestLedgerCountsEachHolderOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := NewLedger(nil)
		holders := []any{&Partial{}, &Partial{}, &Download{}, &Download{}}
		last := map[any]int64{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			h := rapid.SampledFrom(holders).Draw(t, "holder")
			last[h] = rapid.Int64Range(0, 5).Draw(t, "size")
			l.set(h, last[h])
			var sum int64
			for _, size := range last {
				sum += size
			}
			require.Equal(t, sum, l.Sum().Int64())
		}
		for _, h := range holders {
			l.set(h, 0)
		}
		require.Zero(t, l.Sum().Int64())
		require.Empty(t, l.held)
	})
}
