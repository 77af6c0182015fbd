package mirror

import (
	"errors"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Pin downloads a file if it has no complete copy, and protects the copy from eviction.
func (m *FS) Pin(name string) error {
	return m.pin(name, func(v *View, n *tree.Node) error {
		if err := v.Present(n); err != nil {
			return err
		}
		v.tree.Pin(n, true)
		return nil
	})
}

// Unpin reverts Pin.
func (m *FS) Unpin(name string) error {
	return m.pin(name, func(v *View, n *tree.Node) error {
		if pinned(n) {
			v.tree.Pin(n, false)
		}
		return nil
	})
}

// pin calls do with the node of a file. It does nothing for a user's file, which is never evicted.
func (m *FS) pin(name string, do func(*View, *tree.Node) error) error {
	clean, err := m.Clean(name)
	if err != nil {
		return err
	}
	return m.Do(func(v *View) error {
		n, err := v.file(clean)
		if n == nil {
			return err
		}
		return do(v, n)
	})
}

func pinned(n *tree.Node) bool { return n.Copy().Pinned }

// Evict deletes the local copy of a file. The error matches ErrBusy if the file is open or pinned, or if a request in
// doubt may still destroy the remote's content. It matches ErrChanged if the local file is not a copy: it was edited,
// or it is a user's file.
func (m *FS) Evict(name string) error {
	clean, err := m.Clean(name)
	if err != nil {
		return err
	}
	return m.Do(func(v *View) error {
		p, err := v.Find(clean, true)
		if err == nil {
			err = p.Err()
		}
		if err != nil {
			return err
		}
		n := p.Node
		switch {
		case p.Local != nil && !p.Local.IsDir():
			return ErrChanged
		case n == nil:
			v.copies.DropParts(tree.Join(p.Dir.RemotePath(), p.Name))
			return nil
		case n.Ours():
			return ErrChanged
		case v.open[n.ID] != nil, pinned(n):
			return ErrBusy
		case n.Local() && v.tree.Guarded(n):
			return errGuarded
		}
		v.copies.DropParts(n.RemotePath())
		v.copies.Stop(n)
		if n.Content() == tree.Remote {
			return nil
		}
		if err = v.copies.Evict(n); errors.Is(err, ErrChanged) {
			return errors.Join(v.Verify(n), err) // its stamps have changed since Find
		}
		return err
	})
}
