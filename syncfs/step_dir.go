package syncfs

import (
	"errors"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
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
	var a remote.Answer
	err = s.m.Quiesce(func() (err error) {
		a, err = s.m.Remote().MakeDir(step.Path, mode)
		return err
	})
	if s.direct && refused(err) && a.Known != tree.Exists {
		if now := s.m.Remote().Ask(step.Path); forbidden(now.Err) { // it may be there; what is put into it will show that
			a, err = remote.Answer{Known: tree.Exists, Kind: tree.Dir, Meta: intent.Meta}, fs.ErrExist
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return s.retract(step.Node, err)
	}
	if a.Known != tree.Exists && (err == nil || s.m.Remote().Ask(step.Path).Known != tree.Exists) {
		return a.Err // another client has removed it, or that is unknown
	}
	if other := directoryThere(a); other != nil {
		return s.retract(step.Node, other)
	}
	if err == nil {
		s.m.Clock().Compare(a.Meta.MTime)
	}
	return s.m.Do(func(v *mirror.View) error {
		reached(v, step, a.Meta)
		return nil
	})
}

// directoryThere returns nil if the remote has a directory under the name of one that a step makes. The answer describes what
// it has, with symbolic links followed. The error is a conflict if it is something else.
func directoryThere(a remote.Answer) error {
	switch {
	case a.Known == tree.Exists && a.Kind == tree.Dir:
		return nil
	case a.Known == tree.Exists:
		return conflict("it is a " + kindName(a.Kind) + " there")
	case fatal(a.Err):
		return a.Err
	}
	return conflict("it is a symbolic link there that leads to no directory")
}
