package mirror

import (
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// The loss of power may take records and leave what was done after them. So that no bytes are taken for those that an
// older record has under their name, a name that has lost its bytes gets others only once the record of that is synced.

// maxVacated bounds how many names are told apart.
const maxVacated = 1024

// vacate notes that a local name has lost its bytes, with all below it.
func (m *FS) vacate(name string) {
	if len(m.vacated) >= maxVacated {
		clear(m.vacated)
		name = "."
	}
	m.vacated[name] = true
}

// occupy is called after the record and before bytes, or a directory with some, get a local name.
func (m *FS) occupy(name string) error {
	if !m.wasVacated(name) {
		return nil
	}
	if err := m.syncLog(); err != nil {
		return err
	}
	clear(m.vacated)
	return nil
}

func (m *FS) wasVacated(name string) bool {
	for vacated := range m.vacated {
		if tree.Within(name, vacated) || tree.Within(vacated, name) {
			return true
		}
	}
	return false
}

// reserved says whether a local name is the library's own.
func reserved(name string) bool { return tree.Within(name, localdir.StateDir) }

// moves notes what actions take away from names and, once they are recorded, has that last if they bring something to
// such names.
func (m *FS) moves(actions []tree.Action) error {
	for _, a := range actions {
		if a.Kind != tree.RenameLocal {
			continue
		}
		if tree.Within(a.To, localdir.TrashDir) && m.renamed.below(a.From) { // what has left it is not to go with it
			if err := m.syncNames(); err != nil {
				return err
			}
		}
		if !reserved(a.To) {
			if _, err := m.local.Lstat(a.To); err == nil { // it is replaced
				m.vacate(a.To)
			}
			if err := m.occupy(a.To); err != nil {
				return err
			}
		}
		if !reserved(a.From) {
			m.vacate(a.From)
		}
	}
	return nil
}
