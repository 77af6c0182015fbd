package localstore

import "slices"

// leastCompacted is the size in bytes of a log that is worth it.
const leastCompacted = 4 << 20

// compact has the log rewritten when most of it is history, while calls go on. If that fails, nothing is lost, and it is
// tried again when the log has grown. A mark that is owed needs the record that it is about.
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

// rewriting returns a function that replaces the records there are by the state that they lead to. It is called without the
// lock.
func (s *Store) rewriting() func() error {
	end, records := s.log.Size(), slices.Collect(s.tree.Snapshot)
	return func() error {
		if err := s.SyncNames(); err != nil {
			return err
		}
		return s.log.Rewrite(end, slices.Values(records))
	}
}
