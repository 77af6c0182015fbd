package syncfs

import (
	"errors"
	"fmt"
	"io/fs"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func (s *Fs) renameRemote(step tree.Step, r *Result) error {
	err := s.tryRename(step, r)
	if errors.Is(err, ErrConflict) && s.goesHome(step) {
		return s.stay(step.Node, err)
	}
	return err
}

func (s *Fs) tryRename(step tree.Step, r *Result) error {
	var from, to base
	err := s.m.Do(func(v *mirror.View) error {
		from, to = baseOf(step.Node), targetBase(v, step)
		return nil
	})
	if err != nil {
		return err
	}
	source := s.askAbout(step.From, from, false)
	if err := s.agree(step, r, step.From, from, source, false); err != nil {
		return err
	}
	if source, err = s.believed(step.Node, source); err != nil {
		return err
	}
	if source.Known == tree.Absent {
		if from.known != tree.Exists && from.kind == tree.Dir {
			return s.renameNothing(step)
		}
		return conflict("it was removed there")
	}
	if err := s.outdateCopy(step.Node, r); err != nil {
		return err
	}
	target := s.askAbout(step.Path, to, false)
	if err := s.agree(step, r, step.Path, to, target, false); err != nil {
		return err
	}
	if err := s.moveApart(step.Node, source.Meta, to.meta, target.Meta); err != nil {
		return err
	}
	kind := tree.Move
	if step.Parks() {
		kind = tree.Park
	}
	return s.move(step, source, target, kind, to.known != tree.Absent, r)
}

// move renames on the remote, after all checks. existing is set if something may be replaced.
func (s *Fs) move(step tree.Step, source, target remote.Answer, kind tree.IntentKind, existing bool, r *Result) error {
	meta := source.Meta
	intent := &tree.Intent{Kind: kind, From: step.From, To: step.Path, Aside: s.besides(step.Path),
		Dir: step.To.Dir.ID, Meta: meta}
	err := s.intend(step.Node, intent)
	if err != nil {
		return err
	}
	if err := s.quiesce(intent, existing, r); err != nil {
		return s.retract(step.Node, err)
	}
	var hash *tree.Hash
	if source.Kind == tree.File {
		if hash, err = s.hashOfCopy(step.Node); err != nil {
			return err
		}
		meta = s.afterRename(step.Path, source.Meta, source.Meta.Size, hash, target)
	}
	return s.m.Do(func(v *mirror.View) error {
		if reached(v, step, meta) && hash != nil && meta != source.Meta {
			v.Tree().MarkUnsure(step.Node)
		}
		return nil
	})
}

// hashOfCopy returns the hash of a node's copy, if that is a copy of what the remote has.
func (s *Fs) hashOfCopy(n *tree.Node) (hash *tree.Hash, err error) {
	err = s.m.Do(func(*mirror.View) error {
		if n.Content() == tree.Owned && !n.Copy().Stale {
			h := n.Copy().Hash
			hash = &h
		}
		return nil
	})
	return hash, err
}

// moveApart queues another time for a file that would look like the version that it is renamed over.
func (s *Fs) moveApart(n *tree.Node, source tree.Meta, replaced ...tree.Meta) error {
	mtime := apart(s.now(), source.MTime, source.Size, replaced...)
	if n.Kind != tree.File || mtime == source.MTime {
		return nil
	}
	return s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) != n || !n.InView() || n.Dirty() {
			return nil // it gets a time when its content is sent
		}
		if a := &v.Tree().Note(n, v.Now()).Attr; a.Set&tree.AttrTimes == 0 {
			a.Set |= tree.AttrTimes
			a.ATime, a.MTime = mtime, mtime
			v.Tree().Touch(n)
		}
		return nil
	})
}

// renameNothing makes a directory under its new name that was only assumed to exist on the remote under its old one.
func (s *Fs) renameNothing(step tree.Step) error {
	err := s.m.Do(func(v *mirror.View) error {
		if n := step.Node; v.Tree().Node(n.ID) == n {
			v.Tree().Erased(n, v.Now())
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.mkdirRemote(step)
}

// quiesce calls replace when the opens in flight under both names have ended.
func (s *Fs) quiesce(i *tree.Intent, existing bool, r *Result) error {
	err := s.m.Quiesce(func() error { return s.replace(i, existing, r) }, i.From, i.To)
	if err == nil {
		s.compareClocks(i.To, r)
	}
	return err
}

// replace renames on the remote. If the remote does not replace an existing file, it moves that file aside first, and
// moves it back if the second step fails.
func (s *Fs) replace(i *tree.Intent, existing bool, r *Result) error {
	fsys := s.m.Remote().Fs()
	from, to, aside := s.m.Remote().Name(i.From), s.m.Remote().Name(i.To), s.m.Remote().Name(i.Aside)
	rename := fsys.Rename
	if r, ok := remote.Optional[contract.FileReplacer](s.m.Remote()); ok && i.Kind == tree.Publish {
		rename = r.ReplaceFile
	}
	err := remote.Error(rename(from, to))
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !existing {
		return conflict("it was made there")
	}
	if err := remote.Error(fsys.Rename(to, aside)); err != nil {
		return err
	}
	r.MovedAside = true
	if err := remote.Error(fsys.Rename(from, to)); err != nil {
		if backErr := remote.Error(fsys.Rename(aside, to)); backErr != nil {
			return fmt.Errorf("%w, as %s: %w", errLeftAside, i.Aside, errors.Join(err, backErr))
		}
		return err
	}
	if err := remote.Error(fsys.Remove(aside)); fatal(err) {
		return err // the next push removes it
	} else if err != nil {
		s.logger.Warn("replaced file left on the remote", "name", i.Aside, "err", err)
	}
	return nil
}
