package progress

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

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

func TestMeterReportsWhatHasChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reports := make(chan Progress, 10)
		m := NewMeter("pull", func(p Progress) { reports <- p })
		next := func() Progress {
			time.Sleep(10 * interval)
			synctest.Wait()
			require.Len(t, reports, 1, "one report for each change")
			return <-reports
		}
		m.Total(2, 30)
		require.Equal(t, Progress{Op: "pull", Total: 2, TotalBytes: 30}, next())
		first := m.Begin("first", 10, func() int64 { return 4 })
		second := m.Begin("second", 20, func() int64 { return 5 })
		require.Equal(t, Progress{Op: "pull", Total: 2, TotalBytes: 30, Bytes: 9,
			Files: []Transfer{{"first", 4, 10}, {"second", 5, 20}}}, next())
		first.End()
		m.Done(10)
		require.Equal(t, Progress{Op: "pull", Done: 1, Total: 2, TotalBytes: 30, Bytes: 15,
			Files: []Transfer{{"second", 5, 20}}}, next())
		second.End()
		m.Done(20)
		m.Close()
		require.Len(t, reports, 1)
		require.Equal(t, Progress{Op: "pull", Done: 2, Total: 2, TotalBytes: 30, Bytes: 30}, <-reports)
	})
}

func TestMeterOfNobodyDoesNothing(t *testing.T) {
	t.Parallel()
	m := NewMeter("push", nil)
	require.Nil(t, m)
	m.Total(1, 1)
	m.More(1, 1)
	m.Begin("f", 1, nil).End()
	m.Done(1)
	m.Close()
}
