package lateremote

import (
	"context"
	"slices"
	"sync"
)

// Line is what lies between the caller and the base. The zero value lets everything pass. Safe for concurrent use; it must
// not be copied. Several Fs may share one.
type Line struct {
	mu      sync.Mutex // guards the following; never held while an operation or decide runs
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

// Decide has f called before each operation; it says what becomes of it. f may block, and may use the Line: to deliver
// what was held before, or to end the context of the call. nil lets everything pass.
func (l *Line) Decide(f func(Op) Fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.decide = f
}

// HoldChange holds the operation of that index among those that change something, and lets all others pass.
func (l *Line) HoldChange(index int) {
	l.Decide(func(op Op) Fate {
		if op.Change == index {
			return Hold
		}
		return Pass
	})
}

// CancelAt calls cancel, which is to end the caller's context, at the operation of that index among all. If that changes
// something, it waits to be delivered, though the caller has gone.
func (l *Line) CancelAt(index int, cancel context.CancelFunc) {
	l.Decide(func(op Op) Fate {
		if op.Index != index {
			return Pass
		}
		cancel()
		return Wait
	})
}

// Total is how many operations there were: the index of the next one.
func (l *Line) Total() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// Changes is how many of them were to change something.
func (l *Line) Changes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes
}

// Held are the operations that are not delivered yet, in the order in which they were sent.
func (l *Line) Held() (ops []Op) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.held {
		ops = append(ops, r.op)
	}
	return ops
}

// Deliver executes the held operation of that index in Held, and returns its error, which nobody else may get to know.
func (l *Line) Deliver(index int) error {
	l.mu.Lock()
	r := l.held[index]
	l.held = slices.Delete(l.held, index, index+1)
	l.mu.Unlock()
	return r.run()
}

// DeliverAll executes all that was held, in the order in which it was sent, and says how many operations that were.
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

// call makes one operation as the line decides. late gets what an operation that nobody waits for has returned, holding is
// called before one is held; both may be nil.
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
