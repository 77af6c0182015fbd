package localstore

import (
	"maps"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// After a power failure, records may be missing while later changes of the directory are there. An older record would
// then claim bytes that its name does not have any more. So a name that has lost its bytes gets others only after the
// record of the loss is synced. That sync runs without the lock, before the call that brings the other bytes changes
// anything.

// maxVacated bounds how many names are remembered separately.
const maxVacated = 1024

// Vacate records that a local name, and everything below it, has lost its bytes.
func (s *Store) Vacate(name string) {
	if len(s.vacated) >= maxVacated {
		clear(s.vacated)
		name = "."
	}
	s.vacations++
	s.vacated[name] = s.vacations
}

// Vacations returns how often Vacate was called.
func (s *Store) Vacations() uint64 { return s.vacations }

// Lasting tells that the record of everything that was vacated when Vacations returned that number has been synced.
func (s *Store) Lasting(vacations uint64) {
	maps.DeleteFunc(s.vacated, func(_ string, at uint64) bool { return at <= vacations })
}

// Vacated reports whether a name, or one above or below it, was vacated.
func (s *Store) Vacated(name string) bool {
	for vacated := range s.vacated {
		if tree.Within(name, vacated) || tree.Within(vacated, name) {
			return true
		}
	}
	return false
}

// isOwn reports whether a local name is in the directory of the library.
func isOwn(name string) bool { return tree.Within(name, localdir.StateDir) }

// moves vacates the names whose files the recorded actions take away.
func (s *Store) moves(actions []tree.Action) {
	for _, a := range actions {
		if a.Kind == tree.RenameLocal && !isOwn(a.From) {
			s.Vacate(a.From)
		}
	}
}

// mistakable reports whether a file that replaces another could be mistaken for the one that an older record has under
// the name. Files are told apart by inode number and ctime, or, without inode numbers, by size and mtime.
func mistakable(comes, is localdir.Info) bool {
	if comes.IsDir() {
		return comes.Stamp.Ino == 0 && is.IsDir()
	}
	return sameStamp(tree.Stamp(comes.Stamp), tree.Stamp(is.Stamp))
}

// sameStamp reports whether a file without an inode number looks like another one.
func sameStamp(a, b tree.Stamp) bool { return a.Ino == 0 && a.Size == b.Size && a.MTime == b.MTime }
