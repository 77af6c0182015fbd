package mirror

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Totals are no smaller for the sizes that a server states.
func TestTotalsDoNotOverflow(t *testing.T) {
	t.Parallel()
	var m Meter
	m.More(1, math.MaxInt64)
	m.More(1, math.MinInt64)
	m.More(1, 10)
	require.Equal(t, int64(math.MaxInt64), m.progress().TotalBytes)
	m.Total(3, 20)
	m.More(1, 1)
	require.Equal(t, int64(21), m.progress().TotalBytes)
	require.Equal(t, 4, m.progress().Total)
}
