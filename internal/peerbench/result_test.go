package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 3.0, median([]float64{3}), 0)
	require.InDelta(t, 2.0, median([]float64{9, 1, 2}), 0)
	require.InDelta(t, 2.5, median([]float64{9, 1, 3, 2}), 0)
	numbers := []float64{2, 1}
	median(numbers)
	require.Equal(t, []float64{2, 1}, numbers)
}

func TestRotated(t *testing.T) {
	t.Parallel()
	all := []string{"a", "b", "c"}
	require.Equal(t, all, rotated(all, 0))
	require.Equal(t, []string{"b", "c", "a"}, rotated(all, 1))
	require.Equal(t, []string{"c", "a", "b"}, rotated(all, 5))
	require.Equal(t, []string{"a", "b", "c"}, all)
}

func TestResults(t *testing.T) {
	t.Parallel()
	near, far := wire{roundTrip: time.Millisecond}, wire{roundTrip: time.Second}
	r := results{}
	a, b := cell{near, "w", "a"}, cell{near, "w", "b"}
	r.add(a, outcome{seconds: []float64{1}, memory: 5})
	r.add(a, outcome{seconds: []float64{3}, memory: 4})
	r.add(b, outcome{seconds: []float64{4}})
	require.Equal(t, outcome{seconds: []float64{1, 3}, memory: 5}, r[a])
	ratio, ok := r.ratio(near, "w", "a", "b")
	require.True(t, ok)
	require.InDelta(t, 0.5, ratio, 0)
	_, ok = r.ratio(far, "w", "a", "b")
	require.False(t, ok)

	require.False(t, r.givenUp(a))
	r.add(a, outcome{overLimit: true})
	require.False(t, r[a].usable(), "the runs before were lucky")
	require.True(t, r.givenUp(a))
	require.False(t, r.givenUp(cell{far, "w", "b"}))
	require.False(t, r.givenUp(cell{far, "other", "a"}))
	require.False(t, r.givenUp(cell{wire{}, "w", "a"}), "a better wire may do")
	require.True(t, r.givenUp(cell{far, "w", "a"}))
	require.True(t, r[cell{far, "w", "a"}].overLimit, "it is noted")
	r.add(b, outcome{failed: true})
	require.False(t, r[b].usable())
	require.False(t, r.givenUp(b), "it may work the next time")
}
