package syncfs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localstore"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// content is the state of a changed file that is being sent.
type content struct {
	path  string // in the local directory
	stamp tree.Stamp
	copy  tree.Copy
	attr  tree.Attr // set by the program
	timed bool      // the program has set the time
	exact bool      // the mode is that of the file that is replaced, or was set by the program: no umask changes it
	taken bool      // the remote has taken it under a temporary name
	shown tree.Meta
	base  base
}

// setApart gives a content a time that tells it from its base and from what is there now, unless the program has set
// one.
func (c *content) setApart(now int64, there tree.Meta) {
	if !c.timed {
		c.shown.MTime = apart(now, c.shown.MTime, c.stamp.Size, c.base.meta, there)
	}
}

// same reports whether nothing was written between the two.
func (c content) same(later content) bool {
	return later.stamp == c.stamp && c.copy.SameBytes(later.copy)
}

// put sends a file's content to a temporary name, where it is checked, and renames it over the target in one step. It
// publishes nothing if the local file changes meanwhile, or if the remote has another version than the base.
func (s *Fs) put(step tree.Step, r *Result) error {
	c, err := s.sendable(step)
	if err == nil && s.direct {
		return s.deliver(step, c, r)
	}
	if err == nil && (s.learned.takes.Load() || c.taken) {
		err = errTaken
	}
	if err == nil && c.stamp.Size >= worthALook {
		if err = s.lookAhead(step, r, c); err == nil {
			s.m.Limits().ExpectBytes(c.stamp.Size)
		}
	}
	if err != nil {
		return err
	}
	c.setApart(s.now(), tree.Meta{}) // the target is the base, most likely
	p, err := s.beginPart(step, c)
	if err != nil {
		return err
	}
	u, target, err := s.upload(step, c, p, r)
	if (p.from > 0 || errors.Is(err, errTogether)) && refused(err) && s.unchanged(step, c) == nil {
		if p, err = s.startOver(step, c, p); err != nil {
			return err
		}
		u, target, err = s.upload(step, c, p, r)
	}
	if errors.Is(err, errNotVerified) || errors.Is(err, io.ErrShortWrite) {
		r.advanced = false // what has arrived is of no use
	}
	if err == nil && s.turns != nil {
		err = s.turns.await(r)
		target = s.m.Remote().Ask(step.Path)
	}
	if err == nil {
		err = s.publish(step, c, u, target, r)
	} else if !fatal(err) {
		err = cmp.Or(s.unchanged(step, c), err) // the file may have changed meanwhile
	}
	if err != nil && !outcomeUnknown(err) && !s.intends(step.Node) {
		if sweepErr := s.giveUp(p); sweepErr != nil {
			err = fmt.Errorf("%w; its temporary file %s stays there until the next Push: %v", err, p.path, sweepErr)
		}
	}
	return err
}

// worthALook is the size from which a file costs more to send than one more question to the remote.
const worthALook = 1 << 20

// lookAhead finds a conflict before a file is sent in vain. A file of the same length is left to the check after the
// upload, because the contents may be equal.
func (s *Fs) lookAhead(step tree.Step, r *Result, c content) error {
	now := s.m.Remote().Ask(step.Path)
	if now.Known == tree.Exists && now.Kind == tree.File && now.Meta.Size == c.stamp.Size {
		return nil
	}
	err := c.base.check(now, Fail, false)
	if errors.Is(err, ErrConflict) && s.policyFor(step, r, step.Path, c.base, now, err) != Fail {
		return nil
	}
	return err
}

// sendable calls the function sendable under the lock.
func (s *Fs) sendable(step tree.Step) (c content, err error) {
	err = s.m.Do(func(v *mirror.View) (err error) {
		c, err = sendable(v, step)
		return err
	})
	return c, err
}

// sendable returns the content of a changed file, if it may be sent. Most errors match ErrBusy.
func sendable(v *mirror.View, step tree.Step) (content, error) {
	n := step.Node
	if v.Tree().Node(n.ID) != n || !n.InView() {
		return content{}, fmt.Errorf("%w: it was removed meanwhile", ErrBusy)
	}
	switch n.Content() {
	case tree.Busy:
		return content{}, fmt.Errorf("%w: it is open for writing", ErrBusy)
	case tree.Interrupted:
		return content{}, fmt.Errorf("%w: the process died while it was written; Add it as it is, or write it anew", ErrBusy)
	}
	if !n.Local() { // what is there is the user's file
		return content{}, fmt.Errorf("local file: %w", fs.ErrNotExist)
	}
	info, err := v.Local().Lstat(n.Path())
	if err != nil {
		return content{}, fmt.Errorf("local file: %w", oserr.Cause(err))
	}
	if !info.IsRegular() {
		return content{}, fmt.Errorf("%w: in the local directory it is not a regular file any more", fs.ErrInvalid)
	}
	if !localstore.AsQueued(n, info) {
		return content{}, fmt.Errorf("%w: it was edited in the local directory after it was written; Add it as it is, or write it anew",
			ErrBusy)
	}
	c := content{path: n.Path(), stamp: tree.Stamp(info.Stamp), copy: n.Copy(), shown: n.Shown(),
		base: targetBase(v, step)}
	if n.Diff != nil {
		c.attr = n.Diff.Attr
		c.taken = n.Diff.Part != nil && n.Diff.Part.Stamp == c.stamp && errors.Is(lastError(n.Diff), errTaken)
		c.timed = n.Diff.Written != 0 && n.Copy().Stamp.MTime == c.stamp.MTime
	}
	c.exact = n.HasBase() || c.attr.Set&tree.AttrMode != 0
	if c.attr.Set&tree.AttrTimes == 0 {
		c.shown.MTime = c.stamp.MTime
	} else {
		c.timed = true
	}
	return c, nil
}
