// Package remoteclock estimates the server's clock. SFTP has no request for the time, so the clock is read from the
// mtime of a file that the server has just created or changed for this side.
package remoteclock

import (
	"sync"
	"time"
)

const (
	// maxAhead is by how much this side's clock is assumed to be ahead of the server's, until they are compared.
	maxAhead = 24 * time.Hour
	// comparedFor is how long a comparison holds: either clock may be set, or drift.
	comparedFor = time.Hour
	// coarse is the time between two modifications from which on every server shows different mtimes: SFTP version 3 has
	// whole seconds, FAT two seconds.
	coarse = 2 * time.Second
)

// Clock is an estimate of the server's clock. It is safe for concurrent use.
type Clock struct {
	now func() time.Time

	mu     sync.Mutex // guards the fields below; a leaf
	server int64      // at most what the server's clock showed at local
	local  time.Time  // zero: not compared yet
}

// New returns a Clock that is not compared yet. now is this side's clock.
func New(now func() time.Time) *Clock { return &Clock{now: now} }

// Compare uses mtime, which the server has just set (in nanoseconds since 1970), as a reading of its clock.
func (c *Clock) Compare(mtime int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server, c.local = mtime, c.now()
}

// Compared reports whether the clocks were compared within the last hour.
func (c *Clock) Compared() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.compared(c.now())
}

func (c *Clock) compared(local time.Time) bool {
	return !c.local.IsZero() && local.Sub(c.local).Abs() <= comparedFor
}

// At returns a time, in nanoseconds since 1970, that the server's clock has reached when this side's clock shows local.
// In one process the monotonic clock measures the difference, so setting the time of day has no effect.
func (c *Clock) At(local time.Time) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.compared(local) {
		return local.Add(-maxAhead).UnixNano()
	}
	return c.server + int64(local.Sub(c.local))
}

// Now returns a time that the server's clock has reached.
func (c *Clock) Now() time.Time { return time.Unix(0, c.At(c.now())) }

// Unsure reports whether a file with this mtime may change again without a new mtime: the mtime is in whole seconds,
// and that second was not over at the given time of the server's clock.
func Unsure(mtime, server int64) bool {
	whole := mtime%int64(time.Second) == 0
	return whole && server-mtime < int64(coarse)
}
