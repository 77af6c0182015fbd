package syncfs

import (
	"errors"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func (s *Fs) setAttrRemote(step tree.Step, r *Result) error {
	n := step.Node
	var attr tree.Attr
	var b base
	err := s.m.Do(func(v *mirror.View) error {
		b = baseOf(n)
		if n.Diff != nil {
			attr = n.Diff.Attr
		}
		return nil
	})
	if err != nil {
		return err
	}
	now := s.askAbout(step.Path, b, false)
	if err := s.agree(step, r, step.Path, b, now, false); err != nil {
		return err
	}
	if now, err = s.believed(n, now); err != nil {
		return err
	}
	if now.Known == tree.Absent {
		return conflict("it was removed there")
	}
	if err := s.outdateCopy(n, r); err != nil {
		return err
	}
	intent := &tree.Intent{Kind: tree.Reset, To: step.Path, Meta: now.Meta, Attr: attr}
	if err := s.intend(n, intent); err != nil {
		return err
	}
	set := func() (err error) {
		r.Refused, err = s.setAttrs(step.Path, attr, unsupported)
		return err
	}
	if attr.Set&tree.AttrTimes != 0 && n.Kind == tree.File {
		err = s.m.Alter(set, step.Path)
	} else {
		err = s.m.Quiesce(set, step.Path)
	}
	if err != nil {
		return s.retract(n, err)
	}
	before := now.Meta
	if now, err = s.believed(n, s.m.Remote().Ask(step.Path)); err != nil {
		return err
	}
	if now.Known != tree.Exists {
		return now.Err
	}
	return s.m.Do(func(v *mirror.View) error {
		v.RemoteChanged()
		if v.Tree().Node(n.ID) == n && n.Diff != nil {
			attributesSent(v, n, attr)
			if sameBut(attr, before, now.Meta) {
				v.Tree().Reattributed(n, before, now.Meta)
			} else {
				outdate(v, n)
				n.Meta = now.Meta
			}
		}
		return nil
	})
}

// unsupported reports whether the remote never does what it was asked for. An attribute that it can't set is reported in
// Result.Refused, and the change is done: it would fail in each Push.
func unsupported(err error) bool { return errors.Is(err, errors.ErrUnsupported) }

// believed returns an answer about a node that the remote has. If the remote refuses to tell, that is what is known.
func (s *Fs) believed(n *tree.Node, a remote.Answer) (remote.Answer, error) {
	if a.Known != tree.Unknown || !refused(a.Err) {
		return a, nil
	}
	err := s.m.Do(func(*mirror.View) error {
		a = remote.Answer{Known: tree.Exists, Kind: n.Kind, Meta: n.Meta, Target: n.Target()}
		return nil
	})
	return a, err
}

// sameBut reports whether only the attributes that were set made a version another one, so that nobody has written
// meanwhile. A server may round the times.
func sameBut(attr tree.Attr, before, after tree.Meta) bool {
	if attr.Set&tree.AttrTimes != 0 {
		return after.Size == before.Size
	}
	return after.SameVersion(before)
}

// attributesSent records that the remote has taken attributes. Those that were set here meanwhile stay queued.
func attributesSent(v *mirror.View, n *tree.Node, sent tree.Attr) {
	d := v.Tree().Note(n, v.Now())
	if d.Attr == sent {
		d.Attr = tree.Attr{}
	}
	d.Intent = nil
	n.Checked = v.Now()
	v.Tree().Touch(n)
}
