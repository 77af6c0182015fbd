package syncfs

import (
	"errors"
	"fmt"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// publish renames a finished upload over its target, after the last look at the local file. now is the remote's last
// answer about the target.
func (s *Fs) publish(step tree.Step, c content, u uploaded, now remote.Answer, r *Result) error {
	err := s.compare(step.Path, c.base, now, false, r)
	if errors.Is(err, ErrConflict) {
		same, sameErr := s.sameContent(step.Path, now, u)
		switch {
		case sameErr != nil:
			return errors.Join(err, sameErr)
		case same:
			err = nil
		default:
			switch s.policyFor(step, r, step.Path, c.base, now, err) {
			case Overwrite:
				err = s.overwrite(r, c.base, now, false, err)
			case KeepBoth:
				r.Conflict = err
				return s.publishBeside(step, c, u, r)
			}
		}
	}
	if err == nil {
		err = s.unchanged(step, c)
	}
	intent := &tree.Intent{Kind: tree.Publish, From: u.temp, To: step.Path,
		Aside: s.besides(step.Path), Dir: step.To.Dir.ID, Meta: u.meta, Hash: u.hash, Stamp: c.stamp}
	if err == nil {
		err = s.intend(step.Node, intent)
	}
	if err != nil {
		return err
	}
	if err := s.quiesce(intent, now.Known == tree.Exists, r); err != nil {
		return s.retract(step.Node, err)
	}
	return s.m.Do(func(v *mirror.View) error {
		published(v, step, intent, c.copy, c.attr)
		return nil
	})
}

// unchanged returns an error if the local file is no longer what was sent. It matches ErrBusy if the file was written.
func (s *Fs) unchanged(step tree.Step, c content) error {
	again, err := s.sendable(step)
	if err == nil && !c.same(again) {
		err = errWrittenMeanwhile
	}
	return err
}

var errWrittenMeanwhile = fmt.Errorf("%w: it changed during the push", ErrBusy)

// publishBeside publishes an upload that is in conflict under a new name.
func (s *Fs) publishBeside(step tree.Step, c content, u uploaded, r *Result) error {
	beside, err := s.keepBoth(step)
	if err != nil {
		return err
	}
	moved, err := s.sendable(beside)
	if err != nil {
		return err
	}
	was := moved
	was.stamp.CTime = c.stamp.CTime // the local rename has changed it
	if !c.same(was) {
		return errWrittenMeanwhile
	}
	r.Kept = beside.Path
	return s.publish(beside, moved, u, s.m.Remote().Ask(beside.Path), r)
}

// sameContent reports whether the file that is in conflict has the content that was sent.
func (s *Fs) sameContent(path string, now remote.Answer, u uploaded) (bool, error) {
	if now.Known != tree.Exists || now.Kind != tree.File || now.Meta.Size != u.meta.Size {
		return false, nil
	}
	theirs, err := s.hashRemote(path, now.Meta)
	return theirs == u.hash, err
}

// published records that the remote has the content that was sent. If nothing was written since, the local bytes become
// a copy of it.
func published(v *mirror.View, step tree.Step, i *tree.Intent, was tree.Copy, sent tree.Attr) {
	n, there := step.Node, reached(v, step, i.Meta)
	swept(v, i)
	if !there {
		return
	}
	if n.Diff != nil && n.Diff.Attr == sent {
		n.Diff.Attr = tree.Attr{}
	}
	if n.Content() == tree.Changed && was.SameBytes(n.Copy()) {
		ownSent(v, n, i.Stamp, i.Hash)
	}
	v.Tree().Touch(n)
}
