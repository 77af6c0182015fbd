package mirror

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

// Stats are the counts so far.
func (m *FS) Stats() Stats {
	m.mu.Lock()
	used := m.copies.Used()
	m.mu.Unlock()
	c := &m.copies.Counted
	return Stats{
		Hits: m.hits.Load(), Misses: m.misses.Load(), Waits: c.Waits.Load(),
		Fetches: c.Fetches.Load(), FetchedBytes: c.FetchedBytes.Load(),
		Evictions: c.Evictions.Load(), EvictedBytes: c.EvictedBytes.Load(), UsedBytes: used,
	}
}
