package syncfs

import (
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// ensureParent looks for the directory that a step needs, after the remote said that something is missing. It makes a
// missing root in any case, and another missing directory if the base of the step is unknown. Otherwise another client
// has removed the directory since the change was made. That is a conflict.
func (s *Fs) ensureParent(step tree.Step, r *Result) error {
	// One at a time, so that a directory that many steps miss is made once.
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
