package faultfs

import (
	"errors"
	"slices"
	"sync"
)

// ErrInjected is the default error of a Fault.
var ErrInjected = errors.New("injected fault")

// Plan counts the operations of one or more Fs and says which of them fail. The zero value lets everything pass. A Plan
// is safe for concurrent use. It must not be copied.
type Plan struct {
	mu      sync.Mutex // guards the fields below; never held during an operation or a hook
	next    int        // index of the next operation
	counts  map[Kind]int
	faults  []Fault // not fired yet
	fired   []Op
	offline error // the error of every operation; nil: online
	before  func(Op) error
	after   func(Op, error) error
	read    int64
	written int64
	open    map[*file]struct{}
}

// Inject adds a fault. Several faults may be pending; each fires once.
func (p *Plan) Inject(f Fault) {
	if f.Err == nil {
		f.Err = ErrInjected
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, f)
}

// Once makes the operation with this index fail, without effect. A nil err stands for ErrInjected.
func (p *Plan) Once(index int, err error) { p.Inject(Fault{Index: index, Err: err}) }

// Sticky makes the operation with this index and all later ones fail, as after a crash or when the server is gone. A
// nil err stands for ErrInjected.
func (p *Plan) Sticky(index int, err error) { p.Inject(Fault{Index: index, Err: err, Sticky: true}) }

// Offline makes every operation fail with err, without effect, until Offline is called with nil. Operations are still
// counted.
func (p *Plan) Offline(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offline = err
}

// Heal ends Offline and sticky faults, and removes pending faults and hooks, so that a test can check the outcome.
func (p *Plan) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offline, p.faults, p.before, p.after = nil, nil, nil, nil
}

// Before sets a hook that runs before each operation that is about to be carried out. If it returns an error, the
// operation fails with that error and has no effect. The hook may block and may use the Plan. There is one such hook;
// nil removes it.
func (p *Plan) Before(f func(Op) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = f
}

// After sets a hook that runs after each operation that was carried out, with its error. The hook returns the error
// that the operation returns. There is one such hook; nil removes it.
func (p *Plan) After(f func(Op, error) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = f
}

// Fired returns the operations that faults hit, in order. It does not include operations that failed only because of an
// earlier sticky fault, Offline or a hook.
func (p *Plan) Fired() []Op {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.fired)
}

// Pending returns the faults that have not fired.
func (p *Plan) Pending() []Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.faults)
}

// Total returns how many operations there were, including failed ones. This is the index of the next one.
func (p *Plan) Total() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}

// Count returns how many operations of these kinds there were, including failed ones.
func (p *Plan) Count(kinds ...Kind) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range kinds {
		n += p.counts[k]
	}
	return n
}

// BytesRead returns how many bytes the reads have returned.
func (p *Plan) BytesRead() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read
}

// BytesWritten returns how many bytes the writes have put into files, including writes that were reported as failed.
func (p *Plan) BytesWritten() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.written
}

// OpenFiles returns the sorted names of files and directories that were opened and not closed.
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
