package syncfs

import (
	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func (s *Fs) symlinkRemote(step tree.Step) error {
	linker, ok := remote.Optional[afero.Linker](s.m.Remote())
	if !ok {
		return afero.ErrNoSymlink
	}
	var target string
	err := s.m.Do(func(*mirror.View) error {
		target = step.Node.Target()
		return nil
	})
	if err != nil {
		return err
	}
	a := s.m.Remote().Ask(step.Path)
	if a.Known == tree.Unknown {
		return a.Err
	}
	if a.Known == tree.Exists && (a.Kind != tree.Link || a.Target != target) {
		return conflict("there is a " + kindName(a.Kind))
	}
	if a.Known == tree.Absent {
		intent := &tree.Intent{Kind: tree.Make, To: step.Path, Dir: step.To.Dir.ID}
		if err := s.intend(step.Node, intent); err != nil {
			return err
		}
		err := remote.Error(s.m.Quiesce(func() error {
			return linker.SymlinkIfPossible(target, s.m.Remote().Name(step.Path))
		}))
		if err != nil {
			return s.retract(step.Node, err)
		}
		if a = s.m.Remote().Ask(step.Path); a.Known != tree.Exists {
			return a.Err
		}
	}
	return s.m.Do(func(v *mirror.View) error {
		reached(v, step, a.Meta)
		return nil
	})
}
