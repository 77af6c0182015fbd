package syncfs

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// Pending says what Push does, in its order, and when each change was begun.
func TestPending(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	opts := &Options{}
	opts.Cache.Now = func() time.Time { return now }
	r := newRig(t, opts)
	r.serve("edited", "renamed", "removed", "d/x")
	tick := func() { now = now.Add(time.Minute) }
	r.append("edited", "+")
	tick()
	r.write("m/made:12345")
	tick()
	require.NoError(t, r.fs.Rename("renamed", "m/to"))
	tick()
	require.NoError(t, r.fs.RemoveAll("d"))
	tick()
	r.append("edited", "+") // touched first before
	want := []Change{
		{Op: Mkdir, Name: "m", Queued: time.Unix(1e9+60, 0)},
		{Op: Rename, Name: "renamed", NewName: "m/to", Queued: time.Unix(1e9+120, 0)},
		{Op: Remove, Name: "d/x", Queued: time.Unix(1e9+180, 0)},
		{Op: Remove, Name: "d", Queued: time.Unix(1e9+180, 0)},
		{Op: Put, Name: "edited", Size: 8, Queued: time.Unix(1e9, 0)},
		{Op: Put, Name: "m/made", Size: 5, Queued: time.Unix(1e9+60, 0)},
	}
	got := r.fs.Pending()
	for i, c := range got {
		require.Positive(t, c.Seq)
		got[i].Seq = 0
	}
	require.ElementsMatch(t, want, got)
	place := map[string]int{}
	for i, c := range got {
		place[c.String()] = i
	}
	require.Less(t, place["mkdir m"], place["rename renamed -> m/to"])
	require.Less(t, place["mkdir m"], place["put m/made"])
	require.Less(t, place["remove d/x"], place["remove d"])
	first := r.fs.Pending()
	require.Less(t, first[place["put edited"]].Seq, first[place["mkdir m"]].Seq)
	clear(got) // the slice is the caller's
	require.Equal(t, first, r.fs.Pending())
	require.Zero(t, r.plan.Count(faultfs.Mkdir, faultfs.Rename, faultfs.Remove))
}

func TestOpString(t *testing.T) {
	t.Parallel()
	for op, text := range map[Op]string{0: "op 0", Put: "put", SetAttr: "setattr", Fetch: "fetch", Fetch + 1: "op 8", 255: "op 255"} {
		require.Equal(t, text, op.String())
	}
}

// The queue is the same after a restart, at any point, with what became of the attempts; and so is its order.
func TestPendingRestart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := randomRig(t, rt, nil)
		defer r.end()
		r.serveSome(rt)
		for i := range rapid.IntRange(1, 10).Draw(rt, "calls") {
			mutate(rt, r.fs, fmt.Sprint("ours ", i))
			if rapid.IntRange(0, 3).Draw(rt, "push") == 0 {
				r.plan.Sticky(r.plan.Total()+rapid.IntRange(0, 12).Draw(rt, "operations"), errDown)
				_, _ = r.push()
				r.plan.Heal()
			}
			queue, view := r.fs.Pending(), r.view()
			require.Equal(rt, queue, r.fs.Pending())
			r.restart()
			require.Equal(rt, queue, r.fs.Pending())
			require.Empty(rt, aferotest.Diff(view, r.view()))
		}
		r.pushes()
	})
}

// queueOf has many files added.
func queueOf(b testing.TB, count int) *rig {
	b.Helper()
	r := newRig(b, nil)
	for i := range count {
		if i < 100 {
			require.NoError(b, r.local.MkdirAll(fmt.Sprintf("d%d", i), 0o755))
		}
		name := fmt.Sprintf("d%d/x%d", i%100, i)
		require.NoError(b, afero.WriteFile(r.local, name, []byte("x"), 0o644))
		require.NoError(b, r.fs.Add(name))
	}
	return r
}

// What a long queue costs: to open it, to list it, on disk and in memory.
func BenchmarkQueue(b *testing.B) {
	const count = 100_000
	r := queueOf(b, count)
	info, err := r.local.Stat(".syncfs/log")
	require.NoError(b, err)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	require.NoError(b, r.fs.Close())
	r.fs = nil // and with it what it held
	empty := heap()
	r.start()
	full := heap()
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			r.restart()
		}
		b.ReportMetric(float64(info.Size())/count, "log-B/change")
		b.ReportMetric(float64(full-empty)/count, "heap-B/change")
	})
	b.Run("pending", func(b *testing.B) {
		for b.Loop() {
			require.Len(b, r.fs.Pending(), count)
		}
	})
}
