// Package progress reports how far a Push, Pull or Fetch has got.
package progress

import (
	"slices"
	"sync"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Progress is a snapshot of one call of Push, Pull or Fetch.
type Progress struct {
	Op    string     // "push", "pull" or "fetch"
	Files []Transfer // in flight, in the order in which they began; the receiver owns the slice
	// Done files (of a push: changes) of Total have succeeded. Bytes of TotalBytes have been transferred. A resumed
	// transfer includes the bytes of earlier attempts. The totals are what is known so far: a pull learns more while it
	// lists directories.
	Done, Total       int
	Bytes, TotalBytes int64
}

// Transfer is one file in flight. Bytes of Size have been transferred.
type Transfer struct {
	Name        string
	Bytes, Size int64
}

// interval is the shortest time between two reports: smooth for the eye, and cheap.
const interval = 100 * time.Millisecond

// Meter reports the progress of one call. A nil Meter does nothing. It is safe for concurrent use.
type Meter struct {
	report func(Progress)
	stop   chan struct{}
	ended  chan struct{}

	mu     sync.Mutex // guards the fields below; a leaf
	now    Progress   // without Files, their Bytes, and TotalBytes
	total  tree.Sum   // TotalBytes; an exact sum, because a server may state any sizes
	gauges []*Gauge
}

// Gauge shows one transfer of a Meter.
type Gauge struct {
	meter   *Meter
	name    string
	size    int64
	arrived func() int64
}

// NewMeter returns a Meter for one call. It calls report until Close. It returns nil if report is nil.
func NewMeter(op string, report func(Progress)) *Meter {
	if report == nil {
		return nil
	}
	t := &Meter{report: report, now: Progress{Op: op}, stop: make(chan struct{}), ended: make(chan struct{})}
	go t.run()
	return t
}

func (t *Meter) run() {
	defer close(t.ended)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	last := Progress{}
	for {
		select {
		case <-t.stop:
			return
		case <-ticker.C:
		}
		if now := t.progress(); !now.same(last) {
			t.report(now)
			last = now
		}
	}
}

// Close makes the last report, which shows the state at the end of the call.
func (t *Meter) Close() {
	if t != nil {
		close(t.stop)
		<-t.ended
		t.report(t.progress())
	}
}

// More adds to the totals.
func (t *Meter) More(files int, bytes int64) {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.now.Total += files
		t.total.Add(bytes)
	}
}

// Total sets the totals.
func (t *Meter) Total(files int, bytes int64) {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.total = tree.Sum{}
		t.total.Add(bytes)
		t.now.Total = files
	}
}

// Begin adds a transfer to the files in flight. arrived returns how many of its bytes have been transferred.
func (t *Meter) Begin(name string, size int64, arrived func() int64) *Gauge {
	if t == nil {
		return nil
	}
	g := &Gauge{t, name, size, arrived}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gauges = append(t.gauges, g)
	return g
}

// End removes a transfer from the files in flight. From then on, its bytes only count if Done adds them.
func (g *Gauge) End() {
	if g != nil {
		g.meter.mu.Lock()
		defer g.meter.mu.Unlock()
		g.meter.gauges = slices.DeleteFunc(g.meter.gauges, func(o *Gauge) bool { return o == g })
	}
}

// Done counts a file that has succeeded, and its bytes.
func (t *Meter) Done(bytes int64) {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.now.Done++
		t.now.Bytes += bytes
	}
}

func (t *Meter) progress() Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.now
	p.TotalBytes = t.total.Int64()
	for _, g := range t.gauges {
		at := Transfer{g.name, g.arrived(), g.size}
		p.Files = append(p.Files, at)
		p.Bytes += at.Bytes
	}
	return p
}

// same reports whether two snapshots are equal.
func (p Progress) same(o Progress) bool {
	return slices.Equal(p.Files, o.Files) && p.Done == o.Done && p.Total == o.Total && p.Bytes == o.Bytes &&
		p.TotalBytes == o.TotalBytes && p.Op == o.Op
}
