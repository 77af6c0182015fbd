package localstore

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// act makes the actions of a transaction and marks each as made, because the next start must not make it again: another
// file may be there then. If one fails, the actions before it are undone. If lasting is set, an action is synced before
// it is marked.
func (s *Store) act(actions []tree.Action, lasting bool) error {
	for i, a := range actions {
		made, err := i, s.actOne(a)
		if err == nil && lasting {
			made, err = i+1, s.SyncNames()
		}
		if err != nil {
			for _, a := range slices.Backward(actions[:made]) {
				s.undo(a)
			}
			return err
		}
		if done := tree.EncodeDone(i + 1); s.log.Append(done) != nil {
			s.owed = append(s.owed, done)
		}
	}
	return nil
}

func (s *Store) actOne(a tree.Action) error {
	switch a.Kind {
	case tree.RenameLocal:
		if tree.Within(a.From, localdir.TrashDir) && s.bothThere(a) {
			return fs.ErrExist // nothing is replaced by a file that goes back from the trash
		}
		err := s.Rename(a.From, a.To)
		if errors.Is(err, fs.ErrNotExist) {
			// If From was deleted by hand, there is nothing to do. Otherwise the directory of To is missing.
			switch _, statErr := s.local.Lstat(a.From); {
			case statErr == nil:
				if err = s.MakeParent(a.To); err == nil {
					err = s.Rename(a.From, a.To)
				}
			case localdir.Missing(statErr):
				err = nil
			default:
				err = statErr
			}
		}
		return err
	case tree.MkdirLocal:
		err := s.mkdirAll(a.To)
		if info, statErr := s.local.Lstat(a.To); statErr == nil && info.IsDir() {
			return nil
		}
		return err
	case tree.RmdirLocal:
		info, err := s.local.Lstat(a.From)
		if err == nil && info.IsDir() {
			err = s.local.Remove(a.From)
		}
		if err != nil && !localdir.Missing(err) && !errors.Is(err, syscall.ENOTEMPTY) { // files of the user are left in it
			return err
		}
	}
	return nil
}

func (s *Store) bothThere(a tree.Action) bool {
	_, fromErr := s.local.Lstat(a.From)
	_, toErr := s.local.Lstat(a.To)
	return fromErr == nil && toErr == nil
}

func (s *Store) undo(a tree.Action) {
	switch a.Kind {
	case tree.RenameLocal:
		_ = s.local.Rename(a.To, a.From)
	case tree.MkdirLocal:
		_ = s.local.Remove(a.To)
	case tree.RmdirLocal:
		_ = s.mkdirAll(a.From)
	}
}

// MakeParent makes the local directory of a name, and its ancestors.
func (s *Store) MakeParent(name string) error {
	dir, _ := tree.Split(name)
	return s.mkdirAll(dir)
}

// mkdirAll makes a local directory and its missing ancestors. Each has the permissions that it has on the remote, so
// that it admits nobody else, plus 0700, so that this process can use it.
func (s *Store) mkdirAll(name string) error {
	if info, err := s.local.Lstat(name); err == nil && info.IsDir() {
		return nil
	}
	n, path := s.tree.Root(), ""
	for _, element := range strings.Split(name, "/") {
		if n != nil {
			n = n.Kid(element)
		}
		perm := fs.FileMode(0o700)
		if n != nil {
			perm |= n.Shown().Mode.Perm()
		}
		if path = tree.Join(path, element); s.local.MkdirAll(path, perm) != nil {
			break
		}
	}
	return s.local.MkdirAll(name, 0o700)
}
