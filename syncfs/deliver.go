package syncfs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// With PublishDirect, an upload is a delivery: one open, write and close of the file under its final name. What the
// server does with the file then is its own affair.

// delivery is a file that is written under its final name.
type delivery struct {
	step tree.Step
	c    content
	was  remote.Answer // what was there before
	r    *Result
}

// deliver writes a file under its final name, if the remote has the base there.
func (s *Fs) deliver(step tree.Step, c content, r *Result) error {
	if err := s.turns.await(r); err != nil {
		return err
	}
	now := s.askAbout(step.Path, c.base, false)
	beside, err := s.mayReplace(step, c, now, r, func() (bool, error) { return s.equals(step.Path, now, c) })
	if beside {
		return s.beside(step, c, r, s.deliver)
	}
	if err != nil {
		return err
	}
	c.setApart(s.now(), now.Meta)
	i := &tree.Intent{Kind: tree.Deliver, To: step.Path, Dir: step.To.Dir.ID, Stamp: c.stamp, Attr: c.wanted(c.shown.Mode)}
	if i.Beginnings, err = s.beginnings(c); err != nil {
		return err
	}
	if now.Known == tree.Exists {
		i.Meta = now.Meta
		if s.awaitsRequest(step.Path) {
			i.From = i.To
		}
	}
	if err := s.intend(step.Node, i); err != nil {
		return err
	}
	d := &delivery{step: step, c: c, was: now, r: r}
	return s.m.Alter(func() error {
		if err := s.makeWay(d, i); err != nil {
			return s.retract(step.Node, err)
		}
		return s.write(d, i)
	}, step.Path)
}

// write sends the content and closes the file. Right before that, it records that the content is complete: from then on
// the remote may take the file.
func (s *Fs) write(d *delivery, i *tree.Intent) error {
	local, err := s.openContent(d.c)
	if err != nil {
		return errors.Join(err, s.withdraw(d.step.Node))
	}
	defer local.Close()
	d.c.exact = d.c.exact || d.was.Known == tree.Exists // its mode tells of no umask
	complete := *i
	p := &part{path: d.step.Path, hash: sha256.New(), like: &agreement{size: d.c.stamp.Size, sums: i.Beginnings}}
	dst, err := s.send(local, d.c, p, d.r, &complete.Hash)
	if dst == nil {
		return s.retract(d.step.Node, err)
	}
	if err == nil {
		err = s.lasting(local, d.c.path)
	}
	if err == nil {
		err = s.intend(d.step.Node, &complete)
	}
	if err != nil {
		_ = dst.Close()
		return s.incomplete(d, err)
	}
	if err := remote.Error(dst.Close()); err != nil {
		return s.incomplete(d, err)
	}
	meta, err := s.inspect(d, complete.Hash)
	if err != nil {
		return err
	}
	return s.m.Do(func(v *mirror.View) error {
		published(v, d.step, &complete, meta, d.c.copy, d.c.attr)
		if n := d.step.Node; d.r.Taken && v.Tree().Node(n.ID) == n && n.HasBase() {
			v.Tree().Edit(n).Known = tree.Absent
			v.Tree().Touch(n)
		}
		return nil
	})
}

// inspect returns the version that the remote has after a delivery, as far as it may be known.
func (s *Fs) inspect(d *delivery, hash tree.Hash) (tree.Meta, error) {
	name, c, r := d.step.Path, d.c, d.r
	sent := tree.Meta{Mode: c.shown.Mode, Size: c.stamp.Size, MTime: c.shown.MTime}
	old := func(a remote.Answer) bool { return d.was.Known == tree.Exists && a.Meta.SameVersion(d.was.Meta) }
	a, err := s.m.Remote().Ask(name), error(nil)
	if a.Known == tree.Exists || s.learned.stale.Load() || a.Known == tree.Absent && s.lists(name) {
		a, err = s.patiently(name, a, func(a remote.Answer) bool {
			return s.whole(a, c) && !(s.learned.stale.Load() && old(a))
		})
	}
	switch {
	case err != nil:
		return sent, err
	case a.Known == tree.Absent && !s.learned.takes.Load() && s.takenLate(name):
		return sent, errOvertaken
	case a.Known == tree.Absent:
		r.Taken = true
		s.learned.takes.Store(true)
		return sent, nil
	case a.Known == tree.Unknown && !forbidden(a.Err):
		return sent, a.Err
	case a.Known == tree.Unknown:
		r.Unchecked = true
		attr := c.wanted(c.shown.Mode)
		if !c.exact {
			attr.Set &^= tree.AttrMode
		}
		r.Refused, err = s.setAttrs(name, attr, refused)
		return sent, err
	case differs(a, c):
		if err = s.correct(c, name, a, r); err == nil {
			a, err = s.patiently(name, s.m.Remote().Ask(name), func(a remote.Answer) bool {
				return a.Known == tree.Absent || s.whole(a, c) &&
					(r.Refused != nil || !old(a) && !(s.learned.stale.Load() && differs(a, c)))
			})
		}
	}
	switch {
	case err != nil:
	case a.Known == tree.Unknown: // it could be looked at before, so the next look may tell
		return sent, a.Err
	case a.Known == tree.Absent: // taken meanwhile
		r.Taken = true
		return sent, nil
	default:
		_, err = s.checkArrived(name, a.Meta, c, hash, false)
	}
	if err != nil && !fatal(err) {
		err = errors.Join(err, s.own(d, a))
	}
	return a.Meta, err
}

// lists reports whether the remote has a name in its list of the directory. If it says that there is no such file, that
// answer is stale.
func (s *Fs) lists(name string) bool {
	dir, base := tree.Split(name)
	names, _, err := s.m.Remote().AskNames(dir)
	return err == nil && slices.Contains(names, base)
}

// incomplete removes what an incomplete delivery has made, or says that a part is there. If the remote did not answer,
// the next push finds out what became of the delivery. So it does if the log has failed, which may hold the record that
// the content is complete: what is removed then would pass for taken.
func (s *Fs) incomplete(d *delivery, err error) error {
	d.r.advanced = false
	if fatal(err) || s.m.SyncLog() != nil {
		return err
	}
	name := d.step.Path
	if d.was.Known == tree.Absent {
		removeErr := remote.Error(s.m.Remote().Fs().Remove(s.m.Remote().Name(name)))
		if removeErr == nil || remote.Absent(removeErr) {
			return errors.Join(err, s.withdraw(d.step.Node))
		}
	}
	now := s.m.Remote().Ask(name)
	if now.Known == tree.Unknown && !refused(now.Err) {
		return err
	}
	return errors.Join(fmt.Errorf("%w; the remote may have a part of the file", err), s.own(d, now))
}

// own records that what the remote has now is what a delivery has left: the next one replaces it.
func (s *Fs) own(d *delivery, now remote.Answer) error {
	if now.Known != tree.Exists || now.Kind != tree.File {
		return s.withdraw(d.step.Node)
	}
	return s.m.Do(func(v *mirror.View) error {
		reached(v, d.step, now.Meta)
		queueAttrs(v, d.step.Node, d.c.wanted(now.Meta.Mode), now.Meta)
		return nil
	})
}

// equals reports whether the remote has a content already.
func (s *Fs) equals(name string, now remote.Answer, c content) (bool, error) {
	if now.Known != tree.Exists || now.Kind != tree.File || now.Meta.Size != c.stamp.Size {
		return false, nil
	}
	ours, err := s.hashLocal(c, c.stamp.Size)
	if err != nil {
		return false, err
	}
	theirs, err := s.hashRemote(name, now.Meta)
	return err == nil && theirs == ours, err
}

// hashLocal returns the hash of the first n bytes of a content.
func (s *Fs) hashLocal(c content, n int64) (sum tree.Hash, err error) {
	local, err := s.openContent(c)
	if err != nil {
		return sum, err
	}
	defer local.Close()
	h, err := hashOf(s.m.Context(), local, n)
	h.Sum(sum[:0])
	return sum, err
}

// inOrder makes a file of the remote take all its bytes in their order, through one handle.
func inOrder(f afero.File) {
	if o, ok := remote.OptionalFile[contract.OrderedWriter](f); ok {
		o.WriteInOrder()
	}
}
