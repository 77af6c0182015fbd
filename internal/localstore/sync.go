package localstore

import (
	"maps"
	"path"
	"slices"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// renamed holds the local directories in which names have changed since the last sync. If a record became durable
// before the names that it describes, there would be other bytes under them.
type renamed struct {
	syncing lockorder.Mutex[namesLock]   // held while the directories are synced
	mu      lockorder.Mutex[renamedLock] // guards dirs; no I/O while it is held
	dirs    map[string]bool
}

// add adds directories in which names have changed.
func (r *renamed) add(dirs ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, dir := range dirs {
		r.dirs[dir] = true
	}
}

// below reports whether the set has a directory or one below it.
func (r *renamed) below(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for dir := range r.dirs {
		if tree.Within(dir, name) {
			return true
		}
	}
	return false
}

// take empties the set and returns what was in it.
func (r *renamed) take() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	dirs := r.dirs
	r.dirs = map[string]bool{}
	return dirs
}

// Sync makes everything recorded before the call survive a power failure: first the names that have changed, then the
// log. It is called without the lock.
func (s *Store) Sync() error {
	lockorder.MayWait()
	return s.syncAnyway()
}

// syncAnyway is Sync, but may be called with the lock.
func (s *Store) syncAnyway() error {
	if err := s.SyncNames(); err != nil {
		return err
	}
	return s.log.Sync()
}

// SyncNames makes the names in the local directory survive a power failure. It needs no lock. Only Save, in rare cases
// (see mistakable), calls it while its caller holds the lock.
func (s *Store) SyncNames() error {
	s.renamed.syncing.Lock()
	defer s.renamed.syncing.Unlock()
	dirs := s.renamed.take()
	for dir := range dirs {
		if err := s.local.SyncDir(dir); err != nil && !localdir.Missing(err) {
			s.renamed.add(slices.Collect(maps.Keys(dirs))...) // the next call tries again
			return err
		}
	}
	return nil
}

// NamesChangedBelow reports whether names in a directory, or below it, have changed and are not synced yet.
func (s *Store) NamesChangedBelow(name string) bool { return s.renamed.below(name) }

// NameChanged records a change in a directory that must be synced before the record of it.
func (s *Store) NameChanged(dir string) { s.renamed.add(dir) }

// Rename renames in the local directory. If the rename was made although it has returned an error, that is no error.
func (s *Store) Rename(from, to string) error {
	err := s.local.Rename(from, to)
	if err != nil && !localdir.Missing(err) {
		_, fromErr := s.local.Lstat(from)
		if _, toErr := s.local.Lstat(to); localdir.Missing(fromErr) && toErr == nil {
			err = nil
		}
	}
	// A download needs no sync: if its rename is lost, it is downloaded again.
	if err == nil && !tree.Within(from, localdir.TmpDir) {
		s.renamed.add(path.Dir(from), path.Dir(to))
	}
	return err
}

// namesLock and renamedLock are the last two ranks in the lock order of package mirror.
type (
	namesLock   struct{} // renamed.syncing
	renamedLock struct{} // renamed.mu
)

func (namesLock) Rank() int   { return 7 }
func (renamedLock) Rank() int { return 8 }

func (namesLock) Waits() bool   { return true }
func (renamedLock) Waits() bool { return false }
