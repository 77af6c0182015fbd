package syncfs

import (
	"io/fs"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Rename renames a file, directory or symbolic link. A file or symbolic link replaces a file or symbolic link. If newname is
// an existing directory, the error matches fs.ErrExist, as with os.Rename. Nothing is downloaded.
func (s *Fs) Rename(oldname, newname string) error {
	return oserr.Link("rename", oldname, newname, s.rename(oldname, newname))
}

func (s *Fs) rename(oldname, newname string) error {
	from, err := s.m.Clean(oldname)
	if err != nil {
		return err
	}
	to, err := s.m.Clean(newname)
	if err != nil {
		return err
	}
	var actions []action
	err = s.m.Do(func(v *mirror.View) error {
		old, new, err := renamePlaces(v, from, to)
		if err != nil || old.Path() == new.Path() {
			return err
		}
		actions, err = renamePlace(v, old, new)
		if err == nil {
			v.Tidy(old.Dir)
		}
		return err
	})
	if err == nil {
		s.emptyTrash(actions)
	}
	return err
}

// renamePlaces finds the two places, and refuses what package os refuses.
func renamePlaces(v *mirror.View, from, to string) (old, new mirror.Place, err error) {
	// As the system does: first the directories on the way, then the names in them.
	if old, err = v.Find(from, false); err != nil {
		return old, new, err
	}
	if new, err = v.Find(to, false); err != nil {
		return old, new, err
	}
	if err := old.Err(); err != nil {
		return old, new, err
	}
	exists, err := new.Exists()
	switch {
	case err != nil:
		return old, new, err
	case old.Dir == nil && new.Dir == nil:
		return old, new, syscall.EBUSY
	case new.Dir == nil:
		return old, new, fs.ErrExist
	case old.Dir == nil:
		return old, new, syscall.EBUSY
	case exists && new.Kind() == tree.Dir: // even the same one
		return old, new, fs.ErrExist
	case old.Path() == new.Path():
		return old, new, nil
	case exists && old.Kind() == tree.Dir:
		return old, new, syscall.ENOTDIR
	case new.Dir.Within(old.Node):
		return old, new, syscall.EINVAL
	}
	return old, new, mirror.Creatable(new.Name)
}

// renamePlace moves what is at old to new.
func renamePlace(v *mirror.View, old, new mirror.Place) ([]action, error) {
	from, to := old.Path(), new.Path()
	// All questions come first.
	var oldShadow, newShadow remote.Answer
	var err error
	if new.Local != nil {
		if newShadow, err = shadowOf(v, new); err != nil {
			return nil, err
		}
	}
	if old.Local != nil {
		if oldShadow, err = shadowOf(v, old); err != nil {
			return nil, err
		}
		if old.Kind() == tree.Dir && oldShadow.Known == tree.Unknown {
			return nil, oldShadow.Err
		}
	}
	if old.Local == nil && (old.Node == nil || !here(v, old.Node, from)) {
		if err := v.Uncover(to); err != nil {
			return nil, err
		}
	}
	dest := new.Answer.Known
	var actions []action
	if exists, _ := new.Exists(); exists {
		actions = unlink(v, new, newShadow)
		dest = tree.Absent // or what Unlink has hidden there
	}
	n := movable(v, old, oldShadow)
	v.Tree().Move(n, new.Dir, new.Name, dest, v.Now())
	if here(v, n, from) {
		actions = []action{{Kind: tree.RenameLocal, From: from, To: to}} // over what was there
	}
	return actions, v.Save(actions...)
}
