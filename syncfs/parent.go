package syncfs

import (
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// ensureParent looks for the directory that a step puts something into, after the remote said that something is
// missing. The root is made if it is not there, whoever should have made it; so is any directory if the step replaces
// what it finds. Else somebody has removed the directory since the change was made to what is in it, or was to be:
// a conflict.
func (s *Fs) ensureParent(step tree.Step, r *Result) error {
	// One at a time: what is missing for many steps is made once.
	s.parents <- struct{}{}
	defer func() { <-s.parents }()
	dir, _ := tree.Split(step.Path)
	a := s.m.Remote().AskFollowing(dir)
	switch {
	case a.Known == tree.Unknown:
		return a.Err
	case a.Known == tree.Exists && a.Kind != tree.Dir:
		return conflict("its directory is a " + kindName(a.Kind) + " there")
	case a.Known == tree.Exists:
		return nil
	}
	var b base
	err := s.m.Do(func(v *mirror.View) error {
		b = targetBase(v, step)
		return nil
	})
	if err != nil {
		return err
	}
	if dir != "." && b.known != tree.Unknown {
		err := conflict("its directory was removed there")
		if s.policyFor(step, r, dir, b, a, err) == Fail {
			return err
		}
		r.Conflict = err
	}
	return remote.Error(s.m.Remote().Fs().MkdirAll(s.m.Remote().Name(dir), 0o777))
}
