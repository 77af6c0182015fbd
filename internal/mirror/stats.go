package mirror

// Stats counts what an Fs has done since New.
type Stats struct {
	Hits         int64 // files opened for reading that had local bytes
	Misses       int64 // files opened for reading that had none
	Waits        int64 // opens and fetches that joined a running download
	Fetches      int64 // downloads that have begun
	FetchedBytes int64 // bytes from the remote: downloaded, or read there because there was no room
	Evictions    int64 // copies deleted to make room, or by Evict
	EvictedBytes int64 // bytes of these copies
	UsedBytes    int64 // bytes of copies and downloads now, which Options.MaxBytes bounds
}

// Stats returns the counts so far.
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
