package syncfs

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Remove removes a file, a symbolic link or an empty directory.
func (s *Fs) Remove(name string) error { return s.remove("remove", name, false) }

// RemoveAll removes a name and everything below it, without following symbolic links. A name that does not exist is no
// error. The next Push removes what exists at the time of the call, and nothing else. If the remote has paths that are too
// long for any call, the error matches syscall.ENAMETOOLONG, and nothing is removed.
func (s *Fs) RemoveAll(name string) error { return s.remove("removeall", name, true) }

func (s *Fs) remove(op, name string, tree bool) error {
	var actions []action
	err := s.change(op, name, func(v *mirror.View, clean string) (err error) {
		if clean == "." {
			return syscall.EBUSY
		}
		p, err := v.Find(clean, false)
		if err == nil {
			err = p.Err()
		}
		if err != nil {
			if tree && errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return err
		}
		r := remover{v: v, tree: tree}
		if err := r.survey(p); err != nil {
			return err
		}
		actions = r.unlink()
		if err := v.Save(actions...); err != nil {
			return err
		}
		v.Tidy(p.Dir)
		return nil
	})
	if err == nil {
		s.emptyTrash(actions)
	}
	return err
}

type action = tree.Action

// remover removes a place: it surveys everything there, then unlinks it.
type remover struct {
	v    *mirror.View
	tree bool // with everything in it
	// found lists what there is, each directory before its entries.
	found []found
}

type found struct {
	place  mirror.Place
	shadow remote.Answer // what the remote has under the name of a user's entry
}

// survey finds what is at a place and below. It asks all questions, and changes nothing in the view.
func (r *remover) survey(p mirror.Place) error {
	f := found{place: p}
	if p.Kind() == tree.Dir {
		dir, err := r.v.Enter(p)
		if err != nil {
			return err
		}
		if r.tree {
			if err := r.v.ListAll(dir); err != nil {
				return err
			}
		}
		f.place.Node, f.place.Local = dir, nil
		r.found = append(r.found, f)
		return r.surveyDir(dir)
	}
	if p.Local != nil {
		shadow, err := shadowOf(r.v, p)
		if err != nil {
			return err
		}
		f.shadow = shadow
	}
	r.found = append(r.found, f)
	return nil
}

func (r *remover) surveyDir(dir *tree.Node) error {
	places, err := r.v.Places(dir)
	if err != nil {
		return err
	}
	if len(places) > 0 && !r.tree {
		return syscall.ENOTEMPTY
	}
	for _, p := range places {
		if err := r.survey(p); err != nil {
			return err
		}
	}
	return nil
}

// unlink removes everything that was found from the view, the innermost first. One action, that of the place itself,
// removes all local bytes.
func (r *remover) unlink() (actions []action) {
	for i := len(r.found) - 1; i >= 0; i-- {
		f := r.found[i]
		if f.place.Node != nil && f.place.Node.Kind == tree.Dir {
			r.v.Listed(f.place.Node)
		}
		actions = unlink(r.v, f.place, f.shadow)
	}
	return actions
}
