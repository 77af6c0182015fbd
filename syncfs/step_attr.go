package syncfs

import (
	"time"

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
	now := s.m.Remote().Ask(step.Path)
	if err := s.agree(step, r, step.Path, b, now, false); err != nil {
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
	set := func() error { return s.setAttrs(step.Path, attr) }
	if attr.Set&tree.AttrTimes != 0 && n.Kind == tree.File {
		err = s.m.Alter(set, step.Path)
	} else {
		err = s.m.Quiesce(set, step.Path)
	}
	if err != nil {
		return s.retract(n, err)
	}
	before := now.Meta
	now = s.m.Remote().Ask(step.Path)
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

// setAttrs sets attributes on the remote, the times last, because the others may change them.
func (s *Fs) setAttrs(path string, a tree.Attr) error {
	fsys, name := s.m.Remote().Fs(), s.m.Remote().Name(path)
	if a.Set&tree.AttrMode != 0 {
		if err := fsys.Chmod(name, a.Mode); err != nil {
			return remote.Error(err)
		}
	}
	if a.Set&tree.AttrOwner != 0 {
		if err := fsys.Chown(name, a.UID, a.GID); err != nil {
			return remote.Error(err)
		}
	}
	if a.Set&tree.AttrTimes != 0 {
		if err := fsys.Chtimes(name, time.Unix(0, a.ATime), time.Unix(0, a.MTime)); err != nil {
			return remote.Error(err)
		}
	}
	return nil
}
