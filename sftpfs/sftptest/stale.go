package sftptest

import (
	"slices"
	"sync"
	"time"
)

// Stale answers Stat, Lstat and Fstat with the state of d ago, before the changes that clients have made since: a new
// file is missing, and a file that was written has its old size. Gateways that consist of several machines or cache
// attributes do so.
func Stale(d time.Duration) Character {
	return func(o *Options) {
		p := &past{age: d, states: make(map[string][]state)}
		o.Hooks = append(o.Hooks, func(r *Request) Answer {
			switch r.Kind {
			case Stat, Fstat, Lstat:
				if old, ok := p.of(r.Path); ok {
					if r.Kind == Lstat {
						return old.lstat
					}
					return old.stat
				}
			case Read, ReadDir:
			default:
				for _, name := range r.names() {
					p.add(r.tree(), name)
				}
			}
			return r.Next()
		})
	}
}

// A past holds the states of names before they were changed.
type past struct {
	age time.Duration

	mu     sync.Mutex // guards the fields below
	states map[string][]state
}

// A state is what a name had until a request that may have changed it.
type state struct {
	until       time.Time
	stat, lstat Answer
}

// add notes the state of a name right before a request about it.
func (p *past) add(t *tree, name string) {
	s := state{time.Now(), information(t.fs.Stat(name)), information(t.lstat(name))}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states[name] = append(p.recent(name), s)
}

// of returns the state of a name age ago. It returns false if that is the present state.
func (p *past) of(name string) (state, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if recent := p.recent(name); len(recent) > 0 {
		return recent[0], true
	}
	return state{}, false
}

// recent returns the states that ended within the age.
func (p *past) recent(name string) []state {
	since := time.Now().Add(-p.age)
	states := p.states[name]
	first := slices.IndexFunc(states, func(s state) bool { return s.until.After(since) })
	if first < 0 {
		return nil
	}
	return states[first:]
}
