package localstore

import "slices"

// leastCompacted is the smallest log, in bytes, that is compacted.
const leastCompacted = 4 << 20

// compact rewrites the log in the background when most of it is history. If that fails, nothing is lost, and it is
// tried again later. It does nothing while records are owed: an owed mark needs the record that it refers to.
func (s *Store) compact() {
	size := s.log.Size()
	if s.closed || len(s.owed) > 0 || size < leastCompacted || size < 3*s.live.Load() || s.compacting.Swap(true) {
		return
	}
	rewrite := s.rewriting()
	s.workers.Go(func() {
		if err := rewrite(); err != nil {
			s.logger.Warn("log not compacted", "err", err)
		}
		s.live.Store(s.log.Size())
		s.compacting.Store(false)
	})
}

// rewriting returns a function that replaces the present records by the state that they lead to. That function is
// called without the lock.
func (s *Store) rewriting() func() error {
	end, records := s.log.Size(), slices.Collect(s.tree.Snapshot)
	return func() error {
		if err := s.SyncNames(); err != nil {
			return err
		}
		return s.log.Rewrite(end, slices.Values(records))
	}
}
