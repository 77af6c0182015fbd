package faultfs

import "slices"

// verdict is the decision about one operation.
type verdict struct {
	op     Op
	err    error  // the error to return; nil: that of the operation itself
	effect Effect // if err is not nil
	bytes  int    // with Part
	before func(Op) error
	after  func(Op, error) error
}

// begin counts the operation and decides about it.
func (p *Plan) begin(op Op) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	op.Index = p.next
	p.next++
	if p.counts == nil {
		p.counts = make(map[Kind]int)
	}
	p.counts[op.Kind]++

	v := verdict{op: op, before: p.before, after: p.after}
	offline := p.offline
	if i := slices.IndexFunc(p.faults, func(f Fault) bool { return f.Index == op.Index }); i >= 0 {
		f := p.faults[i]
		p.faults = slices.Delete(p.faults, i, i+1)
		p.fired = append(p.fired, op)
		v.err, v.effect, v.bytes = op.wrap(f.Err), f.Effect, f.Bytes
		if f.Sticky {
			p.offline = f.Err
		}
	}
	if offline != nil {
		v.err, v.effect = op.wrap(offline), Nothing
	}
	return v
}

// run carries out f as the verdict on op says. An operation that can be carried out in part handles the verdict itself.
func (p *Plan) run(op Op, f func() error) error {
	v := p.begin(op)
	if err := v.enter(); err != nil {
		return err
	}
	return v.leave(f())
}

// enter returns an error if the operation must not be carried out.
func (v verdict) enter() error {
	if v.err != nil && v.effect != Whole {
		return v.err
	}
	if v.before != nil {
		if err := v.before(v.op); err != nil {
			return v.op.wrap(err)
		}
	}
	return nil
}

// leave returns the error of an operation that was carried out with err.
func (v verdict) leave(err error) error {
	if v.after != nil {
		err = v.after(v.op, err)
	}
	if v.err != nil {
		return v.err
	}
	return err
}
