package mirror

import (
	"slices"
	"sync"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Progress says how far one call of Push, Pull or Fetch has got.
type Progress struct {
	Op    string     // "push", "pull" or "fetch"
	Files []Transfer // under way, in the order in which they began; the slice is the receiver's
	// Done files (of a push: changes) of Total have ended well. Bytes of TotalBytes have arrived; what a transfer that
	// was cut off had sent counts again once it goes on. The totals are what is known so far: those of a pull grow
	// while it lists directories.
	Done, Total       int
	Bytes, TotalBytes int64
}

// Transfer is one file under way.
type Transfer struct {
	Name        string
	Bytes, Size int64
}

// progressEvery is how often Options.Progress is called at most: often enough for an eye, rarely enough to cost
// nothing.
const progressEvery = 100 * time.Millisecond

// Meter reports the progress of one call. A nil Meter does nothing. Safe for concurrent use.
type Meter struct {
	report func(Progress)
	stop   chan struct{}
	ended  chan struct{}

	mu     sync.Mutex
	now    Progress // without what is under way, and without TotalBytes
	total  tree.Sum // TotalBytes: a server may state any sizes
	gauges []*Gauge
}

// Gauge is one transfer of a Meter.
type Gauge struct {
	meter *Meter
	name  string
	size  int64
	done  func() int64
}

// Meter returns a meter for a call, to be closed when that ends; nil if nobody wants to know.
func (m *FS) Meter(op string) *Meter {
	if m.opt.Progress == nil {
		return nil
	}
	t := &Meter{report: m.opt.Progress, now: Progress{Op: op}, stop: make(chan struct{}), ended: make(chan struct{})}
	go t.run()
	return t
}

func (t *Meter) run() {
	defer close(t.ended)
	ticker := time.NewTicker(progressEvery)
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

// Close makes the last report: it is how the call ended.
func (t *Meter) Close() {
	if t != nil {
		close(t.stop)
		<-t.ended
		t.report(t.progress())
	}
}

// metered returns m for one call whose fetches are reported, as Begin does. end waits for the last report; Close does not.
func (m *FS) metered(op string) (bound *FS, end func(), err error) {
	left, err := m.Begin()
	if err != nil {
		return nil, nil, err
	}
	bound = m.bind(m.ctx, m.Meter(op))
	return bound, func() {
		left()
		bound.meter.Close()
	}, nil
}

// More says that there is more to do than was known.
func (t *Meter) More(files int, bytes int64) {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.now.Total += files
		t.total.Add(bytes)
	}
}

// Total says how much there is to do in all, as is known now.
func (t *Meter) Total(files int, bytes int64) {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.total = tree.Sum{}
		t.total.Add(bytes)
		t.now.Total = files
	}
}

// Begin begins a transfer; done says how much of it has arrived.
func (t *Meter) Begin(name string, size int64, done func() int64) *Gauge {
	if t == nil {
		return nil
	}
	g := &Gauge{t, name, size, done}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gauges = append(t.gauges, g)
	return g
}

// End ends a transfer, which is no part of what is done until that is said.
func (g *Gauge) End() {
	if g != nil {
		g.meter.mu.Lock()
		defer g.meter.mu.Unlock()
		g.meter.gauges = slices.DeleteFunc(g.meter.gauges, func(o *Gauge) bool { return o == g })
	}
}

// Done says that a file has ended well, and how many bytes it has.
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
		at := Transfer{g.name, g.done(), g.size}
		p.Files = append(p.Files, at)
		p.Bytes += at.Bytes
	}
	return p
}

// same says whether two reports say the same.
func (p Progress) same(o Progress) bool {
	return slices.Equal(p.Files, o.Files) && p.Done == o.Done && p.Total == o.Total && p.Bytes == o.Bytes &&
		p.TotalBytes == o.TotalBytes && p.Op == o.Op
}
