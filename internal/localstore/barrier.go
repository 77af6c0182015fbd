package localstore

import (
	"maps"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// The loss of power may take records and leave what was done after them. So that no bytes are taken for those that an
// older record has under their name, a name that has lost its bytes gets others only once the record of that is synced.
// That is done without the lock, before the call that brings the others changes anything.

// maxVacated bounds how many names are told apart.
const maxVacated = 1024

// Vacate notes that a local name has lost its bytes, with all below it.
func (s *Store) Vacate(name string) {
	if len(s.vacated) >= maxVacated {
		clear(s.vacated)
		name = "."
	}
	s.vacations++
	s.vacated[name] = s.vacations
}

// Vacations counts the names that were vacated.
func (s *Store) Vacations() uint64 { return s.vacations }

// Lasting says that the record of all that was vacated when there were so many vacations has been synced.
func (s *Store) Lasting(vacations uint64) {
	maps.DeleteFunc(s.vacated, func(_ string, at uint64) bool { return at <= vacations })
}

// Vacated says whether a name, or one above or below it, was vacated.
func (s *Store) Vacated(name string) bool {
	for vacated := range s.vacated {
		if tree.Within(name, vacated) || tree.Within(vacated, name) {
			return true
		}
	}
	return false
}

// isOwn says whether a local name is the library's own.
func isOwn(name string) bool { return tree.Within(name, localdir.StateDir) }

// moves notes what actions take away from names, once they are recorded.
func (s *Store) moves(actions []tree.Action) {
	for _, a := range actions {
		if a.Kind == tree.RenameLocal && !isOwn(a.From) {
			s.Vacate(a.From)
		}
	}
}

// mistakable says whether bytes that come to a name in the place of others could be mistaken for those that an older record
// has there. By an inode number and the time of its change they are told apart, else by size and modification time.
func mistakable(comes, is localdir.Info) bool {
	if comes.IsDir() {
		return comes.Stamp.Ino == 0 && is.IsDir()
	}
	return sameStamp(tree.Stamp(comes.Stamp), tree.Stamp(is.Stamp))
}

// sameStamp says whether a file without a number looks like another one.
func sameStamp(a, b tree.Stamp) bool { return a.Ino == 0 && a.Size == b.Size && a.MTime == b.MTime }
