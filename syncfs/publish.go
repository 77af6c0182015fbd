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
	now = s.confirm(step.Path, now, c.base, false)
	beside, err := s.mayReplace(step, c, now, r, func() (bool, error) { return s.sameContent(step.Path, now, u) })
	if beside {
		return s.beside(step, c, r, func(step tree.Step, c content, r *Result) error {
			return s.publish(step, c, u, s.m.Remote().Ask(step.Path), r)
		})
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
		switch {
		case forbidden(err):
			err = advised(err, "when the temporary file was renamed", "Publish")
		case remote.Absent(err) && !errors.Is(err, errLeftAside) && s.m.Remote().Ask(u.temp).Known == tree.Absent: // else the directory is missing
			err = s.vanished(u.temp, err)
		}
		return s.retract(step.Node, err)
	}
	meta := s.afterRename(step.Path, u.meta, c.stamp.Size, &u.hash, now)
	return s.m.Do(func(v *mirror.View) error {
		published(v, step, intent, meta, c.copy, c.attr)
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

// mayReplace returns nil if a content may replace what the remote has now: that is the base, it is equal to the content,
// or the policy says so. If beside is true, the content goes under another name.
func (s *Fs) mayReplace(step tree.Step, c content, now remote.Answer, r *Result, equal func() (bool, error)) (beside bool, err error) {
	err = s.compare(step.Path, c.base, now, false, r)
	if !errors.Is(err, ErrConflict) {
		return false, err
	}
	same, sameErr := equal()
	if sameErr != nil {
		return false, errors.Join(err, sameErr)
	}
	if same {
		return false, nil
	}
	switch s.policyFor(step, r, step.Path, c.base, now, err) {
	case Overwrite:
		err = s.overwrite(r, c.base, now, false, err)
	case KeepBoth:
		r.Conflict = err
		return true, nil
	}
	return false, err
}

// beside renames a file that is in conflict, and publishes it under its new name.
func (s *Fs) beside(step tree.Step, c content, r *Result, publish func(tree.Step, content, *Result) error) error {
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
	return publish(beside, moved, r)
}

// sameContent reports whether the file that is in conflict has the content that was sent.
func (s *Fs) sameContent(path string, now remote.Answer, u uploaded) (bool, error) {
	if now.Known != tree.Exists || now.Kind != tree.File || now.Meta.Size != u.meta.Size {
		return false, nil
	}
	theirs, err := s.hashRemote(path, now.Meta)
	return theirs == u.hash, err
}

// published records that the remote has the content that was sent, as the version meta. If nothing was written since,
// the local bytes become
// a copy of it.
func published(v *mirror.View, step tree.Step, i *tree.Intent, meta tree.Meta, was tree.Copy, sent tree.Attr) {
	n, there := step.Node, reached(v, step, meta)
	if i.Kind == tree.Publish {
		swept(v, i)
	}
	if !there {
		return
	}
	if n.Diff != nil && n.Diff.Attr == sent {
		n.Diff.Attr = tree.Attr{}
	}
	if n.Content() == tree.Changed && was.SameBytes(n.Copy()) {
		ownSent(v, n, i.Stamp, i.Hash)
		if i.Kind == tree.Publish && meta.MTime != i.Meta.MTime { // it was given by the remote
			v.Tree().MarkUnsure(n)
		}
	}
	v.Tree().Touch(n)
}
