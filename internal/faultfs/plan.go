package faultfs

import (
	"errors"
	"slices"
	"sync"
)

// ErrInjected is the error of a Fault that names none.
var ErrInjected = errors.New("injected fault")

// Plan counts the operations of one Fs or several and says which of them fail.
// The zero value lets everything pass. A Plan is safe for concurrent use; it
// must not be copied.
type Plan struct {
	mu      sync.Mutex // guards all below; never held during an operation or a hook
	next    int        // index of the next operation
	counts  map[Kind]int
	faults  []Fault // not fired yet
	fired   []Op
	offline error // what every operation fails with; nil: online
	before  func(Op) error
	after   func(Op, error) error
	read    int64
	written int64
	open    map[*file]struct{}
}

// Inject adds a fault. Several may be pending; each fires once.
func (p *Plan) Inject(f Fault) {
	if f.Err == nil {
		f.Err = ErrInjected
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, f)
}

// Once has the operation of this index fail, without effect. A nil err is
// ErrInjected.
func (p *Plan) Once(index int, err error) { p.Inject(Fault{Index: index, Err: err}) }

// Sticky has the operation of this index and all later ones fail, as after a
// crash or with a server that is gone. A nil err is ErrInjected.
func (p *Plan) Sticky(index int, err error) { p.Inject(Fault{Index: index, Err: err, Sticky: true}) }

// Offline has every operation fail with err, without effect, until it is called
// with nil. Operations go on being counted.
func (p *Plan) Offline(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offline = err
}

// Heal ends Offline and a sticky fault and forgets faults and hooks that are
// pending, so that a test can look at what is left.
func (p *Plan) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offline, p.faults, p.before, p.after = nil, nil, nil, nil
}

// Before has f called before each operation that is about to be carried out; an
// error it returns is that of the operation, which then has no effect. f may
// block and may use the Plan. There is one such function; nil removes it.
func (p *Plan) Before(f func(Op) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = f
}

// After has f called after each operation that was carried out, with its error;
// what it returns is the operation's error. There is one such function; nil
// removes it.
func (p *Plan) After(f func(Op, error) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = f
}

// Fired returns the operations that faults hit, in order. Those that failed
// only because an earlier fault was sticky, or because of Offline or a hook, are
// not among them.
func (p *Plan) Fired() []Op {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.fired)
}

// Pending returns the faults that did not fire.
func (p *Plan) Pending() []Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.faults)
}

// Total returns how many operations there were, failed ones included: the index
// of the next one.
func (p *Plan) Total() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}

// Count returns how many operations of these kinds there were, failed ones
// included.
func (p *Plan) Count(kinds ...Kind) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range kinds {
		n += p.counts[k]
	}
	return n
}

// BytesRead returns how many bytes reads returned.
func (p *Plan) BytesRead() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read
}

// BytesWritten returns how many bytes writes put into files, those of writes
// that were then reported as failed included.
func (p *Plan) BytesWritten() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.written
}

// OpenFiles returns the sorted names of files and directories that were opened
// and not closed.
func (p *Plan) OpenFiles() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make([]string, 0, len(p.open))
	for f := range p.open {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return names
}
