package syncfs

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// This file makes the steps that transfer nothing.

// reached records that the remote has the node under the step's name now. A node that was removed here meanwhile is
// kept for the next push to remove.
func reached(v *mirror.View, step tree.Step, meta tree.Meta) {
	v.RemoteChanged()
	t, n := v.Tree(), step.Node
	if r := step.Replaces; r != nil && t.Node(r.ID) == r {
		t.Erased(r, v.Now())
	}
	if t.Node(n.ID) != n {
		if t.Node(step.To.Dir.ID) == step.To.Dir {
			t.Hide(step.To.Dir, step.To.Name, n.Kind, tree.Exists, meta, v.Now())
		}
		return
	}
	t.Rebase(n, step.To.Dir, step.To.Name)
	n.Meta, n.Checked = meta, v.Now()
	if n.Diff != nil {
		n.Diff.Intent, n.Diff.Explicit = nil, false
	}
	t.Touch(n)
}

func (s *Fs) mkdirRemote(step tree.Step) error {
	a := s.m.AskFollowing(step.Path)
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
		err = mirror.Remote(s.m.RemoteFs().Mkdir(s.m.RemoteName(step.Path), mode))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return s.retract(step.Node, err)
		}
		if a = s.m.AskFollowing(step.Path); a.Known != tree.Exists {
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

func (s *Fs) symlinkRemote(step tree.Step) error {
	linker, ok := s.m.RemoteFs().(afero.Linker)
	if !ok {
		return afero.ErrNoSymlink
	}
	a := s.m.Ask(step.Path)
	if a.Known == tree.Unknown {
		return a.Err
	}
	if a.Known == tree.Exists && (a.Kind != tree.Link || a.Target != step.Node.Target) {
		return conflict("there is a " + kindName(a.Kind))
	}
	if a.Known == tree.Absent {
		intent := &tree.Intent{Kind: tree.Make, To: step.Path, Dir: step.To.Dir.ID}
		if err := s.intend(step.Node, intent); err != nil {
			return err
		}
		err := mirror.Remote(linker.SymlinkIfPossible(step.Node.Target, s.m.RemoteName(step.Path)))
		if err != nil {
			return s.retract(step.Node, err)
		}
		if a = s.m.Ask(step.Path); a.Known != tree.Exists {
			return a.Err
		}
	}
	return s.m.Do(func(v *mirror.View) error {
		reached(v, step, a.Meta)
		return nil
	})
}

func (s *Fs) renameRemote(step tree.Step) error {
	var from, to base
	err := s.m.Do(func(v *mirror.View) error {
		from, to = baseOf(step.Node), targetBase(v, step)
		return nil
	})
	if err != nil {
		return err
	}
	source := s.m.Ask(step.From)
	if err := from.check(source, s.conflict, false); err != nil {
		return err
	}
	if source.Known == tree.Absent {
		if from.known == tree.Unknown && from.kind == tree.Dir {
			return s.renameNothing(step)
		}
		return conflict("it was removed there")
	}
	if err := to.check(s.m.Ask(step.Path), s.conflict, false); err != nil {
		return err
	}
	aside := s.besides(step.Path, step.Node, ".old")
	intent := &tree.Intent{Kind: tree.Move, From: step.From, To: step.Path, Aside: aside, Dir: step.To.Dir.ID,
		Meta: source.Meta}
	if err := s.intend(step.Node, intent); err != nil {
		return err
	}
	if err := s.replace(intent, to.known != tree.Absent); err != nil {
		return s.retract(step.Node, err)
	}
	return s.m.Do(func(v *mirror.View) error {
		reached(v, step, source.Meta)
		return nil
	})
}

// renameNothing makes a directory under its new name that was only taken to be on the remote under its old one.
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

// intend records, for good, a step that must not run twice.
func (s *Fs) intend(n *tree.Node, intent *tree.Intent) error {
	err := s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) != n {
			return ErrBusy // removed meanwhile
		}
		v.Tree().Note(n, v.Now()).Intent = intent
		v.Tree().Touch(n)
		return nil
	})
	if err == nil {
		err = s.m.SyncLog()
	}
	return err
}

// intends says whether a node has an intent whose outcome is to be found out. What it is about must not be touched.
func (s *Fs) intends(n *tree.Node) (yes bool) {
	err := s.m.Do(func(*mirror.View) error {
		yes = n.Diff != nil && n.Diff.Intent != nil
		return nil
	})
	return yes || err != nil
}

// retract takes an intent back after an error by which the remote said that it did not do the step. After any other
// error nobody knows yet: the intent stays, to be resolved.
func (s *Fs) retract(n *tree.Node, err error) error {
	if outcomeUnknown(err) {
		return err
	}
	saveErr := s.m.Do(func(v *mirror.View) error {
		clearIntent(v, n)
		return nil
	})
	return errors.Join(err, saveErr)
}

// outcomeUnknown says whether a step that ended with an error may have been made all the same.
func outcomeUnknown(err error) bool { return fatal(err) || errors.Is(err, syscall.EIO) }

// clearIntent records that a step was not made. What was only kept because the remote might have been made to have it
// is forgotten.
func clearIntent(v *mirror.View, n *tree.Node) {
	if v.Tree().Node(n.ID) != n || n.Diff == nil || n.Diff.Intent == nil {
		return
	}
	kind := n.Diff.Intent.Kind
	v.Tree().Note(n, v.Now()).Intent = nil
	v.Tree().Touch(n)
	if !n.InView() && n.Known == tree.Unknown && (kind == tree.Publish || kind == tree.Make) {
		v.Tree().Erased(n, v.Now())
	}
}

// replace renames on the remote. Where the remote does not replace an existing file, that is moved aside first, and
// put back if the second step fails.
func (s *Fs) replace(i *tree.Intent, existing bool) error {
	remote := s.m.RemoteFs()
	from, to, aside := s.m.RemoteName(i.From), s.m.RemoteName(i.To), s.m.RemoteName(i.Aside)
	err := mirror.Remote(remote.Rename(from, to))
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !existing {
		return conflict("it was made there")
	}
	if err := mirror.Remote(remote.Rename(to, aside)); err != nil {
		return err
	}
	if err := mirror.Remote(remote.Rename(from, to)); err != nil {
		if backErr := mirror.Remote(remote.Rename(aside, to)); backErr != nil {
			return errors.Join(err, backErr)
		}
		return err
	}
	if err := mirror.Remote(remote.Remove(aside)); fatal(err) {
		return err // the next push removes it
	} else if err != nil {
		s.logger.Warn("replaced file left on the remote", "name", i.Aside, "err", err)
	}
	return nil
}

// besides is a temporary name in the directory of a path.
func (s *Fs) besides(path string, n *tree.Node, suffix string) string {
	dir, _ := tree.Split(path)
	return tree.Join(dir, s.tempName(n, suffix))
}

func (s *Fs) removeRemote(step tree.Step) error {
	n := step.Node
	if n.Temp {
		return s.sweep(n, step.Path)
	}
	var b base
	err := s.m.Do(func(*mirror.View) error {
		b = baseOf(n)
		return nil
	})
	if err != nil {
		return err
	}
	now := s.m.Ask(step.Path)
	if err := b.check(now, s.conflict, true); err != nil {
		return err
	}
	if now.Known == tree.Exists {
		if n.Kind == tree.Dir {
			if err := s.empty(step.Path); err != nil {
				return err
			}
		}
		intent := &tree.Intent{Kind: tree.Erase, From: step.Path, Meta: now.Meta}
		if err := s.intend(n, intent); err != nil {
			return err
		}
		err := mirror.Remote(s.m.RemoteFs().Remove(s.m.RemoteName(step.Path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.retract(n, err)
		}
	}
	return s.m.Do(func(v *mirror.View) error {
		v.RemoteChanged()
		if v.Tree().Node(n.ID) == n {
			v.Tree().Erased(n, v.Now())
		}
		return nil
	})
}

// empty says whether a directory of the remote may be removed: whatever was seen in it has been removed before.
func (s *Fs) empty(path string) error {
	names, err := s.m.AskNames(path)
	if err == nil && len(names) > 0 {
		err = conflict("made there since: " + strings.Join(names[:min(len(names), 3)], ", "))
	}
	return err
}

func (s *Fs) setAttrRemote(step tree.Step) error {
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
	now := s.m.Ask(step.Path)
	if n.IsRoot() {
		b = base{known: tree.Exists, kind: tree.Dir}
	}
	if err := b.check(now, s.conflict, false); err != nil {
		return err
	}
	if now.Known == tree.Absent {
		return now.Err
	}
	if attr.Set&tree.AttrTimes != 0 && n.Kind == tree.File { // the version changes
		intent := &tree.Intent{Kind: tree.Retime, To: step.Path, Meta: tree.Meta{Size: now.Meta.Size, MTime: attr.MTime}}
		if err := s.intend(n, intent); err != nil {
			return err
		}
	}
	if err := s.setAttrs(step.Path, attr); err != nil {
		return s.retract(n, err)
	}
	now = s.m.Ask(step.Path)
	if now.Known != tree.Exists {
		return now.Err
	}
	return s.m.Do(func(v *mirror.View) error {
		v.RemoteChanged()
		if v.Tree().Node(n.ID) == n && n.Diff != nil {
			attributesSent(v, n, attr, now.Meta)
		}
		return nil
	})
}

// attributesSent records that the remote has taken attributes. What was set here meanwhile stays to be sent.
func attributesSent(v *mirror.View, n *tree.Node, sent tree.Attr, meta tree.Meta) {
	d := v.Tree().Note(n, v.Now())
	if d.Attr == sent {
		d.Attr = tree.Attr{}
	}
	d.Intent = nil
	n.Meta, n.Checked = meta, v.Now()
	v.Tree().Touch(n)
}

// setAttrs sets attributes on the remote, the times last, since the others may change them.
func (s *Fs) setAttrs(path string, a tree.Attr) error {
	remote, name := s.m.RemoteFs(), s.m.RemoteName(path)
	if a.Set&tree.AttrMode != 0 {
		if err := remote.Chmod(name, a.Mode); err != nil {
			return mirror.Remote(err)
		}
	}
	if a.Set&tree.AttrOwner != 0 {
		if err := remote.Chown(name, a.UID, a.GID); err != nil {
			return mirror.Remote(err)
		}
	}
	if a.Set&tree.AttrTimes != 0 {
		if err := remote.Chtimes(name, time.Unix(0, a.ATime), time.Unix(0, a.MTime)); err != nil {
			return mirror.Remote(err)
		}
	}
	return nil
}
