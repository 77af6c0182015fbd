package mirror

import (
	"path"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// save records the changes of the tree, then performs the local actions. If either fails, it rolls everything back.
func (m *state) save(actions ...tree.Action) error {
	if err := m.store.Save(actions...); err != nil {
		return err
	}
	m.followUsers(actions)
	return nil
}

// Uncover is called before a node that has no local bytes gets a name. If that name was vacated, and a loss of power could
// bring the bytes back, the error is a need to sync their loss: they would pass for the user's, and hide the node.
func (v *View) Uncover(name string) error {
	err := v.occupy(name)
	for dir := name; err != nil && dir != "."; { // evictions remove files and directories, and do not report it
		dir = path.Dir(dir)
		v.store.NameChanged(dir)
	}
	return err
}

// occupy is called before bytes get a local name. If that name was vacated and the record of that is not synced yet,
// the error is a need to sync it.
func (v *View) occupy(name string) error {
	if !v.store.Vacated(name) {
		return nil
	}
	return need{learn: func(m *FS, _ *knowledge) error {
		m.mu.Lock()
		recorded := m.store.Vacations()
		m.mu.Unlock()
		if err := m.store.Sync(); err != nil {
			return err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.store.Lasting(recorded)
		return nil
	}}
}

// lasting is called before actions are recorded. The error is a need to sync what has to last before them.
func (v *View) lasting(actions []tree.Action) error {
	for _, a := range actions {
		switch {
		case a.Kind != tree.RenameLocal:
		case tree.Within(a.To, localdir.TrashDir) && v.store.NamesChangedBelow(a.From): // what left it must stay
			return need{learn: func(m *FS, _ *knowledge) error { return m.store.SyncNames() }}
		case !tree.Within(a.To, localdir.StateDir):
			if err := v.occupy(a.To); err != nil {
				return err
			}
		}
	}
	return nil
}
