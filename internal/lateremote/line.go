package lateremote

import (
	"context"
	"slices"
	"sync"
)

// Line is the connection between the caller and the base. The zero value lets everything pass. It is safe for
// concurrent use and must not be copied. Several Fs may share one.
type Line struct {
	mu      sync.Mutex // guards the fields below; never held while an operation or decide runs
	next    int
	changes int
	decide  func(Op) Fate
	held    []*request
}

// request is an operation that was sent and not delivered.
type request struct {
	op  Op
	run func() error
}

// Decide sets a function that chooses the fate of each operation before it runs. f may block and may use the Line: to
// deliver held operations, or to end the context of the call. nil lets everything pass.
func (l *Line) Decide(f func(Op) Fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.decide = f
}

// HoldChange holds the operation with that index among those that change something, and lets all others pass.
func (l *Line) HoldChange(index int) {
	l.Decide(func(op Op) Fate {
		if op.Change == index {
			return Hold
		}
		return Pass
	})
}

// CancelAt calls cancel, which should end the caller's context, at the operation with that index among all. If the
// operation changes something, it waits to be delivered, although the caller has left.
func (l *Line) CancelAt(index int, cancel context.CancelFunc) {
	l.Decide(func(op Op) Fate {
		if op.Index != index {
			return Pass
		}
		cancel()
		return Wait
	})
}

// Total returns how many operations there were. This is the index of the next one.
func (l *Line) Total() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// Changes returns how many of them change something.
func (l *Line) Changes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes
}

// Held returns the operations that are not delivered yet, in the order in which they were sent.
func (l *Line) Held() (ops []Op) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.held {
		ops = append(ops, r.op)
	}
	return ops
}

// Deliver executes the held operation with that index in Held. It returns its error, which nobody else may see.
func (l *Line) Deliver(index int) error {
	l.mu.Lock()
	r := l.held[index]
	l.held = slices.Delete(l.held, index, index+1)
	l.mu.Unlock()
	return r.run()
}

// DeliverAll executes all held operations, in the order in which they were sent, and returns their number.
func (l *Line) DeliverAll() int {
	for n := 0; ; n++ {
		if len(l.Held()) == 0 {
			return n
		}
		_ = l.Deliver(0)
	}
}

// begin counts an operation and decides about it.
func (l *Line) begin(op *Op) Fate {
	l.mu.Lock()
	op.Index, op.Change = l.next, -1
	l.next++
	if op.Kind != Look {
		op.Change = l.changes
		l.changes++
	}
	decide := l.decide
	l.mu.Unlock()
	if decide == nil {
		return Pass
	}
	return decide(*op)
}

func (l *Line) hold(r *request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, r)
}

// call makes one operation as the line decides. late receives the result if the caller has left; holding is called
// before an operation is held. Both may be nil.
func call[T any](ctx context.Context, l *Line, op Op, do func() (T, error), late func(T), holding func()) (T, error) {
	type result struct {
		value T
		err   error
	}
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	fate := l.begin(&op)
	if op.Kind == Look && fate == Wait {
		fate = Pass
	}
	if fate == Pass {
		if err := ctx.Err(); err != nil { // decide has ended it
			return zero, err
		}
		return do()
	}
	if op.Kind == Look {
		return zero, op.wrap(ErrLost)
	}
	if holding != nil {
		holding()
	}
	answered, gone := make(chan result), make(chan struct{})
	l.hold(&request{op: op, run: func() error {
		v, err := do()
		select {
		case answered <- result{v, err}:
		case <-gone:
			if err == nil && late != nil {
				late(v)
			}
		}
		return err
	}})
	if fate == Hold {
		close(gone)
		return zero, op.wrap(ErrLost)
	}
	select {
	case r := <-answered:
		return r.value, r.err
	case <-ctx.Done():
		close(gone)
		return zero, ctx.Err()
	}
}

// tell is call for an operation without a result.
func tell(ctx context.Context, l *Line, op Op, do func() error) error {
	_, err := call(ctx, l, op, func() (struct{}, error) { return struct{}{}, do() }, nil, nil)
	return err
}
