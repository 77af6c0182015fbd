package mirror

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAtOnce(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 2048, atOnce(1<<20))
	require.EqualValues(t, 256, atOnce(1024), "with the limit that many systems have by default")
	require.EqualValues(t, 16, atOnce(20))
}

func TestWeight(t *testing.T) {
	t.Parallel()
	m := &FS{state: &state{}}
	capacity := m.Capacity()
	require.EqualValues(t, 1, m.Weight(0))
	require.EqualValues(t, 1, m.Weight(4<<10))
	require.EqualValues(t, largeAtOnce, capacity/m.Weight(1<<40))
	for _, size := range []int64{1 << 10, 20 << 10, 64 << 10, 1 << 20} {
		require.LessOrEqual(t, capacity/m.Weight(size)*size, int64(32<<20), "bytes of files that are held at once")
	}

	m.opt.Parallel = 3
	require.EqualValues(t, 3, m.Capacity())
	require.EqualValues(t, 1, m.Weight(1<<40))
}
