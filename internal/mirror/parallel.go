package mirror

import (
	"sync"
	"time"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
)

// How much is under way at once if Options.Parallel does not say: a large file fills a connection with a few others, a
// small one only waits for round trips. 2,048 of those are as many requests as the channels of a connection carry at
// once; so 2,000 files take as many round trips as one.
const (
	largeAtOnce = 16
	smallAtOnce = 2048
	smallFile   = 16 << 10 // so all that are under way are 32 MiB at most, or largeAtOnce files
)

// handlesEach is how many of the handles that this process may have there are for each file under way: one on the local
// file, and others for the program.
const handlesEach = 4

// atOnce is how much may be under way at once in a process that may have so many handles.
func atOnce(handles uint64) int64 {
	return int64(min(max(handles/handlesEach, largeAtOnce), smallAtOnce))
}

// byHandles is that for this process, found out once: it is needed for each file.
var byHandles = sync.OnceValue(func() int64 { return atOnce(maxHandles()) })

// Capacity is how much may be under way at once, in the unit of Weight.
func (m *state) Capacity() int64 {
	if m.opt.Parallel > 0 {
		return int64(m.opt.Parallel)
	}
	return byHandles()
}

// Each calls do for each number below n, as many at a time as the Capacity lets it.
func (m *FS) Each(n int, do func(i int)) {
	slots := make(chan struct{}, m.Capacity())
	var running sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	running.Wait()
}

// Weight is what the transfer of a file of that size, or any other request, takes of the Capacity. It is less where the
// remote is farther, and so may become another one.
func (m *FS) Weight(size int64) int64 {
	if m.opt.Parallel > 0 {
		return 1
	}
	capacity := m.Capacity()
	least := int64(1)
	if r, ok := m.remote.Base().(contract.RoundTripTimer); ok {
		least = max(1, capacity/worthwhile(r.RoundTrip()))
	}
	return min(max(least, 1+size/smallFile), capacity/largeAtOnce)
}

const (
	// tripsEach is how many round trips a small file waits for, fewer with short cuts than without, and mostPerSecond how
	// many small files there can be in a second: on two cores that both sides share, 10,000 were seen. leastAtOnce keeps
	// both sides busy.
	tripsEach     = 4
	mostPerSecond = 20_000
	leastAtOnce   = 64
)

// bytesEach is how much of a large file there is for each call that is expected: more calls would have less to do.
const bytesEach = 256 << 10

// ExpectBytes tells the remote that so much is about to be transferred at once.
func (m *FS) ExpectBytes(size int64) { m.Expect(int(min(size/bytesEach, smallAtOnce))) }

// worthwhile is how many small files at once hide the round trips. More only wait for each other, in memory.
func worthwhile(roundTrip time.Duration) int64 {
	if roundTrip == 0 {
		return smallAtOnce
	}
	return min(max(int64(roundTrip)*tripsEach*mostPerSecond/int64(time.Second), leastAtOnce), smallAtOnce)
}

// Expect tells the remote that so many calls will be made before long, as far as they are under way at a time.
func (m *FS) Expect(calls int) {
	if r, ok := m.remote.Base().(contract.Expecter); ok {
		r.Expect(min(calls, int(m.Capacity())))
	}
}
