package sftptest

import "sync"

// A perHandle has a value for each open file. The zero value is ready for use.
type perHandle[T any] struct {
	mu     sync.Mutex // guards the fields below
	values map[string]T
}

// get returns the value of a handle, at first the zero value.
func (p *perHandle[T]) get(handle string) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.values[handle]
}

func (p *perHandle[T]) set(handle string, value T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.values == nil {
		p.values = make(map[string]T)
	}
	p.values[handle] = value
}

// forget removes and returns the value of a handle that is closed.
func (p *perHandle[T]) forget(handle string) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	value := p.values[handle]
	delete(p.values, handle)
	return value
}
