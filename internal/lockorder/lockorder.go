// Package lockorder has mutexes that know their place in the order in which a package takes its locks. In tests that
// have called Check, a lock that is taken out of order panics, and so does a wait while a lock is held under which
// nobody waits. Else a lock costs one atomic load more than a sync.Mutex.
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

// Rank is the place of a lock in the order: a type without fields, so that a lock needs no initialization.
type Rank interface {
	// Rank is higher than that of all locks that may be held when this one is taken.
	Rank() int
	// Waits says whether what may take long, such as an fsync, may be done while the lock is held.
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

// Unlock unlocks it.
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
	every atomic.Uint64 // 0: the checks are off
	taken atomic.Uint64 // counts the locks
	noted atomic.Int64  // locks that are held, and in held
)

// inARow is how many locks are checked one after the other: those that one call takes.
const inARow = 16

// Check turns the checks on, for good, for one lock of so many: to check each costs several times what most tests do. It is
// called before any lock is taken, by a TestMain. Where benchmarks are asked for they stay off.
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

// held are the ranks that each goroutine holds, by its number, in the order in which they were taken.
var held sync.Map

func heldBy(goroutine uint64) *[]Rank {
	ranks, ok := held.Load(goroutine)
	if !ok {
		return &[]Rank{}
	}
	return ranks.(*[]Rank)
}

// take notes that the goroutine takes a lock, if this one is checked.
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

// give notes that the goroutine holds a lock no more.
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

// goroutine is the number of the goroutine, as its stack trace shows it.
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
