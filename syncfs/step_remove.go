package syncfs

import (
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func (s *Fs) removeRemote(step tree.Step, r *Result) error {
	n := step.Node
	if step.Aux { // it is a temporary file
		return s.sweep(n, step.Path)
	}
	var b base
	err := s.m.Do(func(*mirror.View) error {
		b = baseOf(n)
		return nil
	})
	if err != nil {
		return err
	}
	now := s.askAbout(step.Path, b, true)
	if err := s.agree(step, r, step.Path, b, now, true); err != nil {
		return err
	}
	if now.Known != tree.Absent {
		if n.Kind == tree.Dir {
			if err := s.empty(n, step.Path, true); err != nil {
				return err
			}
		}
		intent := &tree.Intent{Kind: tree.Erase, From: step.Path, Meta: now.Meta}
		if err := s.intend(n, intent); err != nil {
			return err
		}
		err := remote.Error(s.m.Quiesce(func() error {
			return s.m.Remote().Fs().Remove(s.m.Remote().Name(step.Path))
		}, step.Path))
		if err != nil && !remote.Absent(err) {
			return s.retract(n, err)
		}
		s.compareClocks(step.Path, r)
	}
	return s.m.Do(func(v *mirror.View) error {
		v.RemoteChanged()
		if v.Tree().Node(n.ID) == n {
			v.Tree().Erased(n, v.Now())
		}
		return nil
	})
}
