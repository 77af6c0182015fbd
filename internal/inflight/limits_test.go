package inflight

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

func TestCapacityIsBoundedByOpenFiles(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 2048, atOnce(1<<20))
	require.EqualValues(t, 256, atOnce(1024), "the default soft limit of many systems")
	require.EqualValues(t, 16, atOnce(20))
}

type near struct{ afero.Fs }

func (near) RoundTrip() time.Duration { return time.Microsecond }

func TestWorthwhile(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 2048, worthwhile(0), "not known")
	require.EqualValues(t, 64, worthwhile(1))
	require.EqualValues(t, 80, worthwhile(time.Millisecond))
	require.EqualValues(t, 1600, worthwhile(20*time.Millisecond))
	require.EqualValues(t, 2048, worthwhile(time.Hour))
}

type counting struct {
	afero.Fs
	expected int
}

func (c *counting) Expect(requests int) { c.expected = requests }

func TestLargeFilesAreExpectedInParts(t *testing.T) {
	t.Parallel()
	base := &counting{}
	l := Limits{Remote: base}
	l.ExpectBytes(8 << 20)
	require.Equal(t, 32, base.expected)
	l.ExpectBytes(1 << 62)
	require.EqualValues(t, l.Capacity(), base.expected)
}

func TestWeight(t *testing.T) {
	t.Parallel()
	l := Limits{Remote: afero.NewMemMapFs()}
	capacity := l.Capacity()
	require.EqualValues(t, 1, l.Weight(0))
	require.EqualValues(t, 1, l.Weight(4<<10))
	require.EqualValues(t, largeAtOnce, capacity/l.Weight(1<<40))
	for _, size := range []int64{1 << 10, 20 << 10, 64 << 10, 1 << 20} {
		require.LessOrEqual(t, capacity/l.Weight(size)*size, int64(32<<20), "bytes of files that are held at once")
	}

	l = Limits{Remote: near{}}
	require.EqualValues(t, leastAtOnce, capacity/l.Weight(0), "as many as are worthwhile")
	require.EqualValues(t, largeAtOnce, capacity/l.Weight(1<<40))

	l.Parallel = 3
	require.EqualValues(t, 3, l.Capacity())
	require.EqualValues(t, 1, l.Weight(1<<40))
}

func TestEachRunsWithinCapacity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls, running, most atomic.Int32
		began := time.Now()
		Limits{Parallel: 4}.Each(12, func(int) {
			most.Store(max(most.Load(), running.Add(1)))
			calls.Add(1)
			time.Sleep(time.Second)
			running.Add(-1)
		})
		require.EqualValues(t, 12, calls.Load())
		require.EqualValues(t, 4, most.Load())
		require.Equal(t, 3*time.Second, time.Since(began))
	})
}
