package mirror

import (
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// coarse is how far apart two modifications must be for every server that has whole seconds only to tell them apart:
// SFTP version 3 has seconds, FAT two of them.
const coarse = 2 * time.Second

// unsure says whether a file that has this mtime may change again without its mtime showing it: an mtime in whole seconds
// that was not over yet at a time of the server's clock.
func unsure(mtime, server int64) bool {
	whole := mtime%int64(time.Second) == 0
	return whole && server-mtime < int64(coarse)
}

const (
	// maxAhead is by how much this side's clock is taken to be ahead of the server's as long as they were not compared.
	maxAhead = 24 * time.Hour
	// comparedFor is how long a comparison holds: either clock may be set, or drift.
	comparedFor = time.Hour
)

// clock is what is known of the server's clock. SFTP cannot ask for the time, so it is read from the mtime of what the
// server has just made or changed for this side.
type clock struct {
	server int64     // no later than what the server's clock showed at local
	local  time.Time // zero: they were not compared
}

// at is a time that the server's clock has reached at a time of this side's clock. Within one process the difference is
// measured by the monotonic clock, so that setting the time of day does not matter.
func (c clock) at(local time.Time) int64 {
	if !c.compared(local) {
		return local.Add(-maxAhead).UnixNano()
	}
	return c.server + int64(local.Sub(c.local))
}

func (c clock) compared(local time.Time) bool {
	return !c.local.IsZero() && local.Sub(c.local).Abs() <= comparedFor
}

// CompareClocks takes the mtime that the server has just given to something for the time of its clock.
func (v *View) CompareClocks(mtime int64) { v.clock = clock{mtime, v.opt.Now()} }

// ClocksCompared says whether the server's clock is known.
func (m *FS) ClocksCompared() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.clock.compared(m.opt.Now())
}

// RemoteNow is a time that the server's clock has reached.
func (m *FS) RemoteNow() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Unix(0, m.clock.at(m.opt.Now()))
}

// unsure says whether a version that was there at a time of this side's clock may be followed by another one of the same
// size and mtime.
func (m *state) unsure(meta tree.Meta, since time.Time) bool {
	return unsure(meta.MTime, m.clock.at(since))
}

// outrun says whether a copy was probably fetched too early to be the last content of its version, and whether that one
// is over now. It trusts this side's clock: what hangs on it is only how soon a copy is fetched once more.
func outrun(n *tree.Node, now int64) bool {
	return n.Copy().Unsure && unsure(n.Meta.MTime, n.Copy().Fetched) && !unsure(n.Meta.MTime, now)
}
