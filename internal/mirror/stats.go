package mirror

import "sync/atomic"

// Stats counts what an Fs has done since it was made.
type Stats struct {
	Hits         int64 // files opened for reading that were here
	Misses       int64 // files opened for reading that were not
	Waits        int64 // opens and fetches that joined a fetch which was under way
	Fetches      int64 // that were begun
	FetchedBytes int64 // that came from the remote: fetched, or read there for want of room
	Evictions    int64 // copies deleted to make room, or by Evict
	EvictedBytes int64 // in these
	UsedBytes    int64 // in copies and fetches, now; what Options.MaxBytes bounds
}

// counters are those of Stats.
type counters struct {
	hits, misses, waits, fetches, fetchedBytes, evictions, evictedBytes atomic.Int64
}

// Stats are the counts so far.
func (m *FS) Stats() Stats {
	m.mu.Lock()
	used := m.used()
	m.mu.Unlock()
	c := &m.counted
	return Stats{
		Hits: c.hits.Load(), Misses: c.misses.Load(), Waits: c.waits.Load(),
		Fetches: c.fetches.Load(), FetchedBytes: c.fetchedBytes.Load(),
		Evictions: c.evictions.Load(), EvictedBytes: c.evictedBytes.Load(), UsedBytes: used,
	}
}
