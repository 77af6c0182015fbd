// Package inflight decides how many transfers and requests are in flight at once.
package inflight

import (
	"sync"
	"time"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
)

// The limits if no option is set. A few large files fill a connection, but small files mostly wait for round trips. The
// channels of one connection carry 2,048 requests at once, so 2,000 small files take as many round trips as one.
const (
	largeAtOnce = 16
	smallAtOnce = 2048
	smallFile   = 16 << 10 // bytes; so the files in flight hold at most 32 MiB, or are at most largeAtOnce
)

// openFilesEach is how many of the open files that the process may have are reserved for each file in flight: one for
// the local file, the rest for the program.
const openFilesEach = 4

// atOnce returns the capacity in a process that may have that many open files.
func atOnce(openFiles uint64) int64 {
	return int64(min(max(openFiles/openFilesEach, largeAtOnce), smallAtOnce))
}

// byOpenFiles returns the capacity in this process. It is cached because it is needed for every file.
var byOpenFiles = sync.OnceValue(func() int64 { return atOnce(maxOpenFiles()) })

// Limits decide how much is in flight at once between this process and Remote. They are safe for concurrent use.
type Limits struct {
	Remote   afero.Fs
	Parallel int // files in flight at once; 0: as many as are useful
}

// Capacity returns how much may be in flight at once, in the unit of Weight.
func (l Limits) Capacity() int64 {
	if l.Parallel > 0 {
		return int64(l.Parallel)
	}
	return byOpenFiles()
}

// Weight returns the share of Capacity that the transfer of a file of size bytes takes; size 0 stands for any other
// request. The weight of a small file depends on the round-trip time of the remote, so it may change: it is less if the
// time is longer.
func (l Limits) Weight(size int64) int64 {
	if l.Parallel > 0 {
		return 1
	}
	capacity := l.Capacity()
	least := int64(1)
	if r, ok := l.Remote.(contract.RoundTripTimer); ok {
		least = max(1, capacity/worthwhile(r.RoundTrip()))
	}
	return min(max(least, 1+size/smallFile), capacity/largeAtOnce)
}

const (
	// tripsEach is how many round trips a small file waits for. With pipelining there are fewer.
	tripsEach = 4
	// mostPerSecond is how many small files per second are assumed to be possible. 10,000 were measured on two cores that
	// both sides shared.
	mostPerSecond = 20_000
	// leastAtOnce keeps both sides busy even without latency.
	leastAtOnce = 64
)

// worthwhile returns how many small files in flight hide the round trips. More would only wait for each other, and use
// memory.
func worthwhile(roundTrip time.Duration) int64 {
	if roundTrip == 0 {
		return smallAtOnce
	}
	return min(max(int64(roundTrip)*tripsEach*mostPerSecond/int64(time.Second), leastAtOnce), smallAtOnce)
}

// bytesEach is the size of the parts of a large file for each of which a request is expected. Smaller parts would not
// pay off.
const bytesEach = 256 << 10

// ExpectBytes hints to the remote that a transfer of size bytes is about to begin.
func (l Limits) ExpectBytes(size int64) { l.Expect(int(min(size/bytesEach, smallAtOnce))) }

// Expect hints to the remote that about that many requests, but at most Capacity, will soon be in flight.
func (l Limits) Expect(requests int) {
	if r, ok := l.Remote.(contract.Expecter); ok {
		r.Expect(min(requests, int(l.Capacity())))
	}
}

// Each calls do for each number below n, at most Capacity at a time. It returns when all calls have returned.
func (l Limits) Each(n int, do func(i int)) {
	slots := make(chan struct{}, l.Capacity())
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
