package mirror

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

// vacate notes that a local name has lost its bytes, with all below it.
func (m *state) vacate(name string) {
	if len(m.vacated) >= maxVacated {
		clear(m.vacated)
		name = "."
	}
	m.vacations++
	m.vacated[name] = m.vacations
}

// Occupy is asked before bytes, or a directory with some, get a local name. The error says that the name was vacated, and
// that the record of that is to be synced first.
func (v *View) Occupy(name string) error {
	if !v.wasVacated(name) {
		return nil
	}
	return need{func(m *FS, _ *knowledge) error {
		m.mu.Lock()
		recorded := m.vacations
		m.mu.Unlock()
		if err := m.syncLog(); err != nil {
			return err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		maps.DeleteFunc(m.vacated, func(_ string, at uint64) bool { return at <= recorded })
		return nil
	}}
}

// lasting is asked before actions are recorded. The error says what has to be synced first.
func (v *View) lasting(actions []tree.Action) error {
	for _, a := range actions {
		switch {
		case a.Kind != tree.RenameLocal:
		case tree.Within(a.To, localdir.TrashDir) && v.renamed.below(a.From): // what has left it is not to go with it
			return need{func(m *FS, _ *knowledge) error { return m.syncNames() }}
		case !reserved(a.To):
			if err := v.Occupy(a.To); err != nil {
				return err
			}
		}
	}
	return nil
}

// wasVacated says whether a name, or one above or below it, was vacated.
func (m *state) wasVacated(name string) bool {
	for vacated := range m.vacated {
		if tree.Within(name, vacated) || tree.Within(vacated, name) {
			return true
		}
	}
	return false
}

// reserved says whether a local name is the library's own.
func reserved(name string) bool { return tree.Within(name, localdir.StateDir) }

// moves notes what actions take away from names, once they are recorded.
func (m *state) moves(actions []tree.Action) {
	for _, a := range actions {
		if a.Kind == tree.RenameLocal && !reserved(a.From) {
			m.vacate(a.From)
		}
	}
}

// mistakable says whether bytes that come to a name in the place of others could be mistaken for those that an older record
// has there. By an inode number and the time of its change they are told apart, else by size and modification time.
func mistakable(comes, is localdir.Info) bool {
	switch {
	case comes.Stamp.Ino != 0:
		return false
	case comes.IsDir():
		return is.IsDir()
	}
	return comes.Stamp.Size == is.Stamp.Size && comes.Stamp.MTime == is.Stamp.MTime
}
