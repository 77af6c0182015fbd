package syncfs

import (
	"errors"
	"io/fs"
	"sync"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// newDirs are the directories that one Push has made. What is to be made in them can't be there yet; should it be all the
// same, the remote refuses.
type newDirs struct {
	mu   sync.Mutex // guards made
	made map[tree.ID]bool
}

func (d *newDirs) add(n *tree.Node) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made[n.ID] = true
}

func (d *newDirs) has(n *tree.Node) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.made[n.ID]
}

func (s *Fs) mkdirRemote(step tree.Step) error {
	a := mirror.Answer{Known: tree.Absent}
	if !s.newDirs.has(step.To.Dir) {
		a = s.m.AskFollowing(step.Path)
	}
	if a.Known == tree.Unknown {
		return a.Err
	}
	if a.Known == tree.Absent {
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
		made, err := s.m.MakeDir(step.Path, mode)
		switch {
		case err == nil:
			s.newDirs.add(step.Node)
			a = made
		case errors.Is(err, fs.ErrExist):
			a = s.m.AskFollowing(step.Path)
		default:
			return s.retract(step.Node, err)
		}
		if a.Known != tree.Exists {
			return a.Err
		}
	}
	if a.Kind != tree.Dir {
		return conflict("it is a " + kindName(a.Kind) + " there")
	}
	return s.m.Do(func(v *mirror.View) error {
		reached(v, step, a.Meta)
		return nil
	})
}
