package localstore

import (
	"maps"
	"path"
	"slices"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// renamed are the local directories whose names have changed since they were synced. A record that lasts longer than the
// names it tells of would have other bytes under them.
type renamed struct {
	syncing lockorder.Mutex[namesLock]   // held while they are synced
	mu      lockorder.Mutex[renamedLock] // guards dirs; no I/O is made under it
	dirs    map[string]bool
}

// add notes a rename.
func (r *renamed) add(dirs ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, dir := range dirs {
		r.dirs[dir] = true
	}
}

// below says whether a directory is among them, or one below it.
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

// take empties the set.
func (r *renamed) take() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	dirs := r.dirs
	r.dirs = map[string]bool{}
	return dirs
}

// Sync makes what was recorded before the call survive the loss of power, and first the names that were changed. It is
// called without the lock.
func (s *Store) Sync() error {
	lockorder.MayWait()
	return s.syncAnyway()
}

// syncAnyway is Sync with or without the lock.
func (s *Store) syncAnyway() error {
	if err := s.SyncNames(); err != nil {
		return err
	}
	return s.log.Sync()
}

// SyncNames makes the names in the local directory survive the loss of power. It is called without the lock.
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

// NamesChangedBelow says whether names in a directory, or in one below it, have changed and not been synced.
func (s *Store) NamesChangedBelow(name string) bool { return s.renamed.below(name) }

// NameChanged says that something has changed in a directory that is to be synced before the record of it.
func (s *Store) NameChanged(dir string) { s.renamed.add(dir) }

// Rename renames in the local directory. One that is said to have failed may have been made all the same.
func (s *Store) Rename(from, to string) error {
	err := s.local.Rename(from, to)
	if err != nil && !localdir.Missing(err) {
		_, fromErr := s.local.Lstat(from)
		if _, toErr := s.local.Lstat(to); localdir.Missing(fromErr) && toErr == nil {
			err = nil
		}
	}
	if err == nil && !tree.Within(from, localdir.TmpDir) { // a copy that is missing is fetched again
		s.renamed.add(path.Dir(from), path.Dir(to))
	}
	return err
}

// namesLock and renamedLock are the last two ranks of the order in package mirror.
type (
	namesLock   struct{} // renamed.syncing
	renamedLock struct{} // renamed.mu
)

func (namesLock) Rank() int   { return 7 }
func (renamedLock) Rank() int { return 8 }

func (namesLock) Waits() bool   { return true }
func (renamedLock) Waits() bool { return false }
