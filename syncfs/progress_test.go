package syncfs

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// reports collects what Options.Progress is told.
type reports struct {
	t    testing.TB
	busy atomic.Bool
	all  []cachefs.Progress
	at   []time.Time
}

func (p *reports) note(now cachefs.Progress) {
	if p.busy.Swap(true) {
		p.t.Error("called twice at once")
	}
	defer p.busy.Store(false)
	p.all, p.at = append(p.all, now), append(p.at, time.Now())
}

// requireSteady checks that the reports are not too many, that nothing goes backwards, and what the last one says.
func (p *reports) requireSteady(last cachefs.Progress) {
	require.NotEmpty(p.t, p.all)
	for i, now := range p.all {
		require.Equal(p.t, last.Op, now.Op)
		sum := int64(0)
		for _, f := range now.Files {
			require.LessOrEqual(p.t, f.Bytes, f.Size)
			sum += f.Bytes
		}
		require.LessOrEqual(p.t, sum, now.Bytes)
		require.LessOrEqual(p.t, now.Bytes, now.TotalBytes)
		require.LessOrEqual(p.t, now.Done, now.Total)
		if i > 0 {
			require.GreaterOrEqual(p.t, now.Bytes, p.all[i-1].Bytes)
			require.GreaterOrEqual(p.t, now.Done, p.all[i-1].Done)
		}
		if i > 0 && i < len(p.all)-1 {
			require.GreaterOrEqual(p.t, p.at[i].Sub(p.at[i-1]), 100*time.Millisecond)
		}
	}
	require.Equal(p.t, last, p.all[len(p.all)-1])
}

func TestPushReportsProgress(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		seen := &reports{t: t}
		r := newRig(t, &Options{RetryFor: time.Minute, Cache: cachefs.Options{Parallel: 2, Progress: seen.note}})
		r.write("large:"+bulk(1, 8), "d/small", "d/empty:")
		r.plan.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Write {
				time.Sleep(20 * time.Millisecond)
			}
			return nil
		})
		r.pushes()
		total := int64(8*block + len("d/small"))
		seen.requireSteady(cachefs.Progress{Op: "push", Done: 4, Total: 4, Bytes: total, TotalBytes: total})
		require.Greater(t, len(seen.all), 20)
		large := 0
		for _, now := range seen.all {
			for _, f := range now.Files {
				if f.Name == "large" && f.Bytes > 0 && f.Bytes < f.Size {
					large++
				}
			}
		}
		require.Greater(t, large, 10)
	})
}

// A push that fails has its last report too, and those of two calls are not mixed.
func TestProgressEndsWithTheCall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		seen := &reports{t: t}
		r := newRig(t, &Options{Cache: cachefs.Options{Progress: seen.note}})
		r.write("a")
		r.down()
		r.fails(ErrUnavailable)
		seen.requireSteady(cachefs.Progress{Op: "push", Total: 1, TotalBytes: 1})
		r.up()
		seen.all, seen.at = nil, nil
		r.pushes()
		seen.requireSteady(cachefs.Progress{Op: "push", Done: 1, Total: 1, Bytes: 1, TotalBytes: 1})
	})
}
