package syncfs

import (
	"errors"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func (s *Fs) mkdirRemote(step tree.Step) error {
	var mode fs.FileMode
	err := s.m.Do(func(*mirror.View) error {
		mode = step.Node.Shown().Mode.Perm()
		return nil
	})
	if err != nil {
		return err
	}
	intent := &tree.Intent{Kind: tree.Make, To: step.Path, Dir: step.To.Dir.ID, Meta: tree.Meta{Mode: fs.ModeDir | mode}}
	if err := s.intend(step.Node, intent); err != nil {
		return err
	}
	a, err := s.m.Remote().MakeDir(step.Path, mode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return s.retract(step.Node, err)
	}
	if a.Known != tree.Exists {
		return a.Err
	}
	if a.Kind != tree.Dir {
		return s.retract(step.Node, conflict("it is a "+kindName(a.Kind)+" there"))
	}
	if err == nil {
		s.m.Clock().Compare(a.Meta.MTime)
	}
	return s.m.Do(func(v *mirror.View) error {
		reached(v, step, a.Meta)
		return nil
	})
}
