// Package lockorder provides mutexes with a rank in the lock order of a package. In tests that have called Check,
// taking a lock out of order panics, and so does a wait while a lock is held under which nothing may wait. Otherwise a
// lock costs one atomic load more than a sync.Mutex.
package lockorder

import (
	"bytes"
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// Rank is the place of a lock in the order. It is a type without fields, so that a lock needs no initialization.
type Rank interface {
	// Rank is higher than the rank of every lock that may be held when this one is taken.
	Rank() int
	// Waits reports whether slow operations, such as an fsync, are permitted while the lock is held.
	Waits() bool
}

// Mutex is a sync.Mutex with a rank. The zero value is unlocked.
type Mutex[R Rank] struct{ mu sync.Mutex }

// Lock locks the mutex.
func (m *Mutex[R]) Lock() {
	if every.Load() > 0 {
		take[R]()
	}
	m.mu.Lock()
}

// Unlock unlocks the mutex.
func (m *Mutex[R]) Unlock() {
	m.mu.Unlock()
	if noted.Load() > 0 {
		give[R]()
	}
}

// RWMutex is a sync.RWMutex with a rank. The zero value is unlocked.
type RWMutex[R Rank] struct{ mu sync.RWMutex }

// Lock locks the mutex for writing.
func (m *RWMutex[R]) Lock() {
	if every.Load() > 0 {
		take[R]()
	}
	m.mu.Lock()
}

// Unlock undoes Lock.
func (m *RWMutex[R]) Unlock() {
	m.mu.Unlock()
	if noted.Load() > 0 {
		give[R]()
	}
}

// RLock locks the mutex for reading.
func (m *RWMutex[R]) RLock() {
	if every.Load() > 0 {
		take[R]()
	}
	m.mu.RLock()
}

// RUnlock undoes RLock.
func (m *RWMutex[R]) RUnlock() {
	m.mu.RUnlock()
	if noted.Load() > 0 {
		give[R]()
	}
}

var (
	every atomic.Uint64 // one lock of so many is checked; 0: the checks are off
	taken atomic.Uint64 // counts the calls of Lock
	noted atomic.Int64  // checked locks that are held now, which are in held
)

// inARow is how many successive locks are checked together: about those that one call takes.
const inARow = 16

// Check turns the checks on, forever, for one of so many locks: checking every lock would make most tests several times
// slower. A TestMain calls it before any lock is taken. If benchmarks are requested, the checks stay off.
func Check(oneOf uint64) {
	flag.Parse()
	if b := flag.Lookup("test.bench"); b == nil || b.Value.String() == "" {
		every.Store(oneOf)
	}
}

// MayWait panics if the checks are on and the goroutine holds a lock under which nothing may wait.
func MayWait() {
	if noted.Load() == 0 {
		return
	}
	for _, r := range *heldBy(goroutine()) {
		if !r.Waits() {
			panic(fmt.Sprintf("lockorder: a wait while %T is held", r))
		}
	}
}

// held maps the number of each goroutine to the ranks that it holds, in the order in which they were taken.
var held sync.Map

func heldBy(goroutine uint64) *[]Rank {
	ranks, ok := held.Load(goroutine)
	if !ok {
		return &[]Rank{}
	}
	return ranks.(*[]Rank)
}

// take records that the goroutine takes a lock, if this one is checked.
func take[R Rank]() {
	if taken.Add(1)/inARow%every.Load() != 0 {
		return
	}
	var r R
	id := goroutine()
	ranks := heldBy(id)
	for _, h := range *ranks {
		if h.Rank() >= r.Rank() {
			panic(fmt.Sprintf("lockorder: %T is taken while %T is held", r, h))
		}
	}
	*ranks = append(*ranks, r)
	noted.Add(1)
	held.Store(id, ranks)
}

// give records that the goroutine has released a lock.
func give[R Rank]() {
	var r R
	id := goroutine()
	ranks := heldBy(id)
	for i := len(*ranks) - 1; i >= 0; i-- {
		if (*ranks)[i] == Rank(r) {
			*ranks = append((*ranks)[:i], (*ranks)[i+1:]...)
			noted.Add(-1)
			break
		}
	}
	if len(*ranks) == 0 {
		held.Delete(id)
	}
}

// goroutine returns the number of the goroutine, which it reads from its stack trace.
func goroutine() uint64 {
	var buf [40]byte
	text := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	number, _, _ := bytes.Cut(text, []byte(" "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		panic("lockorder: a stack trace begins otherwise: " + string(text))
	}
	return id
}
