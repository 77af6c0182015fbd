package mirror

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

// syncLog makes what was recorded before the call survive the loss of power, and first the names that were changed. It is
// called without the lock.
func (m *FS) syncLog() error {
	lockorder.MayWait()
	return m.syncLogAnyway()
}

// syncLogAnyway is syncLog with or without the lock.
func (m *state) syncLogAnyway() error {
	if err := m.syncNames(); err != nil {
		return err
	}
	return m.log.Sync()
}

func (m *state) syncNames() error {
	m.renamed.syncing.Lock()
	defer m.renamed.syncing.Unlock()
	dirs := m.renamed.take()
	for dir := range dirs {
		if err := m.local.SyncDir(dir); err != nil && !missing(err) {
			m.renamed.add(slices.Collect(maps.Keys(dirs))...) // the next call tries again
			return err
		}
	}
	return nil
}

// rename renames in the local directory. One that is said to have failed may have been made all the same.
func (m *state) rename(from, to string) error {
	err := m.local.Rename(from, to)
	if err != nil && !missing(err) {
		_, fromErr := m.local.Lstat(from)
		if _, toErr := m.local.Lstat(to); missing(fromErr) && toErr == nil {
			err = nil
		}
	}
	if err == nil && !tree.Within(from, localdir.TmpDir) { // a copy that is missing is fetched again
		m.renamed.add(path.Dir(from), path.Dir(to))
	}
	return err
}

// SyncLog makes what was recorded before the call survive the loss of power.
func (m *FS) SyncLog() error { return m.syncLog() }
