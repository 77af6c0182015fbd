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

// act makes the actions of a transaction, and records each: it must not be made again on the next start, when
// something else may be there. If one fails, those before it are undone. With lasting, none is recorded before its names last.
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
			return fs.ErrExist // what goes back from the trash replaces nothing
		}
		err := s.Rename(a.From, a.To)
		if errors.Is(err, fs.ErrNotExist) {
			// Bytes that were deleted by hand are missing under any name; or the directory is.
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
		if err != nil && !localdir.Missing(err) && !errors.Is(err, syscall.ENOTEMPTY) { // something of the user's is left
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

// MakeParent makes the local directory that a name is in, and those above it.
func (s *Store) MakeParent(name string) error {
	dir, _ := tree.Split(name)
	return s.mkdirAll(dir)
}

// mkdirAll makes a local directory, and those above it as far as they are missing. None lets others in whom it would not let in
// on the remote; this process may enter all of them.
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
