package syncfs

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A request whose answer never came may be carried out late: by a server that was suspended, or by a proxy that kept
// it. What became of it is found out by looking (see intent.go), but a look says nothing about what comes after it. So
// the request is recorded as a guard of the names that it is about. Each Push looks at these names again. If it finds
// there what the request does, it takes that for the state of the remote, and the plan mends it. Until then the local
// bytes are kept.

// guardFor is how long a request may be late, at least: a guard ends with the first Push after that which has found nothing.
// It spans what servers and proxies were seen to hold on to, and is far longer than connections are kept in suspense by TCP
// once they were reset.
const guardFor = 5 * time.Minute

// guard records that a step, of which that became, may still be carried out. A rename that was made cannot be made again.
func guard(v *mirror.View, n *tree.Node, i *tree.Intent, f fate) {
	if f == done && (i.Kind == tree.Publish || i.Kind.Renames()) {
		return
	}
	g := tree.Guard{Intent: *i, Kind: n.Kind, Target: n.Target()}
	if replaced := v.Tree().AtRemote(i.To); replaced != nil {
		g.Base = replaced.Meta
	}
	v.Guard(g)
}

// patrol looks at what guards are about.
func (s *Fs) patrol() error {
	var guards []*tree.Guard
	var ours [][]tree.Meta
	err := s.m.Do(func(v *mirror.View) error {
		guards, ours = v.Tree().Guards(), nil
		for _, g := range guards {
			versions := []tree.Meta{g.Base, g.Intent.Meta}
			if n := v.Tree().AtRemote(g.Intent.To); n != nil {
				versions = append(versions, n.Meta)
			}
			ours = append(ours, versions)
		}
		return nil
	})
	if err != nil || len(guards) == 0 {
		return err
	}
	began := s.now()
	sights := make([]sight, len(guards))
	s.m.Each(len(guards), func(i int) { sights[i] = s.lookAtGuard(guards[i], ours[i]) })
	for i, at := range sights {
		if fatal(at.err) {
			return fmt.Errorf("%s: %w", guards[i].Intent.Name(), at.err)
		}
	}
	return s.m.Do(func(v *mirror.View) error {
		v.RemoteChanged() // nobody knows since when
		for i, g := range guards {
			m := mender{v, s}
			if sights[i].err == nil {
				m.mend(g, sights[i])
			}
			switch age := began - g.Since; {
			case age < 0: // the clock was set back
				v.Guard(*g)
			case age >= int64(guardFor):
				v.Tree().Unguard(g.ID)
			}
		}
		return nil
	})
}

// sight is what the remote has under the names of a guard.
type sight struct {
	sighting
	empty bool // what is there is a directory with nothing in it
	err   error
}

// lookAtGuard looks at what a guard is about. What its request has moved aside is put back; if something else is in its
// place by now, it is removed if it is one of the versions that nobody misses.
func (s *Fs) lookAtGuard(g *tree.Guard, ours []tree.Meta) (at sight) {
	i := &g.Intent
	if at.sighting, at.err = s.look(i); at.err != nil {
		return at
	}
	if at.aside.Known == tree.Exists {
		f := undone
		if at.aside.Kind == tree.File && slices.ContainsFunc(ours, at.aside.Meta.SameVersion) {
			f = done
		}
		if at.err = s.resolveAside(i, at.to, f); at.err == nil {
			at.sighting, at.err = s.look(i)
		}
	}
	if at.err == nil && i.Kind == tree.Make && at.to.Known == tree.Exists && at.to.Kind == tree.Dir {
		var names []string
		var reserved []fs.FileInfo
		names, reserved, at.err = s.m.AskNames(i.To)
		at.empty = len(names)+len(reserved) == 0
	}
	return at
}

// mender takes what late requests have done into the tree, which then differs from the view.
type mender struct {
	v *mirror.View
	s *Fs
}

func (m mender) mend(g *tree.Guard, at sight) {
	i, t := &g.Intent, m.v.Tree()
	from, to := t.AtRemote(i.From), t.AtRemote(i.To)
	switch i.Kind {
	case tree.Erase:
		if at.from.Known == tree.Absent {
			m.lost(from)
		}
	case tree.Make:
		made := at.to.Known == tree.Exists && at.to.Kind == g.Kind && at.to.Target == g.Target
		if to == nil && made && (g.Kind != tree.Dir || at.empty) {
			m.appeared(i.To, at.to, false)
		}
		m.setMode(to, at.to, i.Meta.Mode)
	case tree.Reset:
		if i.Attr.Set&tree.AttrMode != 0 {
			m.setMode(to, at.to, i.Attr.Mode)
		}
		if i.Attr.Set&tree.AttrTimes != 0 {
			m.setTimes(to, at.to, i)
		}
	case tree.Move, tree.Park:
		m.moved(from, to, i.To, at)
	case tree.Publish:
		m.published(to, i, at.to)
		m.leftover(i.From, at.from)
	case tree.Upload:
		m.leftover(i.From, at.from)
	}
}

// thought says whether the remote is thought to have a node.
func thought(n *tree.Node) bool { return n != nil && n.Known == tree.Exists && !n.IsRoot() }

// lost takes note that the remote does not have a node any more.
func (m mender) lost(n *tree.Node) {
	if thought(n) && !m.v.Restore(n) {
		m.s.logger.Error("a request that was carried out late has removed a file of which there is no copy", "name", n.RemotePath())
	}
}

// moved takes note that what was under the first name of a rename is under the second one.
func (m mender) moved(from, to *tree.Node, path string, at sight) {
	if !thought(from) || at.from.Known != tree.Absent {
		return
	}
	same := at.to.Known == tree.Exists && at.to.Kind == from.Kind && (from.Kind != tree.File || at.to.Meta.SameVersion(from.Meta))
	if !same || from == to {
		m.lost(from)
		return
	}
	dir := m.dirOf(path)
	if dir == nil {
		return
	}
	m.lost(to)
	_, name := tree.Split(path)
	if dir.OnRemote(name) == nil {
		m.v.Tree().Rebase(from, dir, name)
	}
}

// published takes note that an upload was renamed into its place after another one.
func (m mender) published(n *tree.Node, i *tree.Intent, now mirror.Answer) {
	switch ours := now.Known == tree.Exists && now.Kind == tree.File && now.Meta.SameVersion(i.Meta); {
	case !ours:
	case n == nil:
		m.appeared(i.To, now, false)
	case thought(n) && n.Kind == tree.File && !n.Meta.SameVersion(now.Meta):
		m.v.Resend(n, now.Meta)
	}
}

// leftover takes note of a temporary file that nothing refers to.
func (m mender) leftover(path string, now mirror.Answer) {
	if now.Known == tree.Exists && m.v.Tree().AtRemote(path) == nil {
		m.appeared(path, now, true)
	}
}

// appeared takes note that the remote has something which this side has made and does not want.
func (m mender) appeared(path string, now mirror.Answer, temp bool) {
	dir := m.dirOf(path)
	if dir == nil {
		return
	}
	_, name := tree.Split(path)
	n := m.v.Tree().Hide(dir, name, now.Kind, tree.Exists, now.Meta, m.v.Now())
	n.SetTarget(now.Target)
	n.Temp = temp
}

// dirOf is the directory of a path on the remote; nil if the tree has another idea of what is there.
func (m mender) dirOf(path string) *tree.Node {
	up, _ := tree.Split(path)
	dir := m.v.Tree().Root()
	if up == "." {
		return dir
	}
	for _, prefix := range prefixes(up) {
		_, name := tree.Split(prefix)
		kid := dir.OnRemote(name)
		if kid == nil && dir.Kid(name) == nil {
			kid = m.v.Tree().Discover(dir, name, tree.Dir, tree.Meta{}, 0)
		}
		if kid == nil || kid.Kind != tree.Dir {
			return nil
		}
		dir = kid
	}
	return dir
}

// setMode has the mode set again that a late request has changed.
func (m mender) setMode(n *tree.Node, now mirror.Answer, late fs.FileMode) {
	mode := now.Meta.Mode & settable
	if !thought(n) || now.Known != tree.Exists || now.Kind != n.Kind || mode != late&settable || mode == n.Meta.Mode&settable {
		return
	}
	a := &m.v.Tree().Note(n, m.v.Now()).Attr
	if a.Set&tree.AttrMode == 0 {
		a.Set |= tree.AttrMode
		a.Mode = n.Meta.Mode & settable
	}
	n.Meta.Mode = n.Meta.Mode&^settable | mode
	m.v.Tree().Touch(n)
}

// setTimes does the same for the times.
func (m mender) setTimes(n *tree.Node, now mirror.Answer, late *tree.Intent) {
	if !thought(n) || now.Known != tree.Exists || now.Kind != n.Kind || now.Meta.MTime == n.Meta.MTime ||
		!keeps(late.Attr.MTime, now.Meta.MTime) || n.Kind == tree.File && now.Meta.Size != n.Meta.Size {
		return
	}
	a := &m.v.Tree().Note(n, m.v.Now()).Attr
	if a.Set&tree.AttrTimes == 0 && !n.Dirty() {
		a.Set |= tree.AttrTimes
		a.ATime, a.MTime = n.Meta.MTime, n.Meta.MTime
	}
	n.Meta.MTime = now.Meta.MTime
	m.v.Tree().Touch(n)
}

// inDoubt is the error of a step that is not made because a request without an answer may still be carried out, and would
// destroy what cannot be fetched. It matches ErrUnavailable.
type inDoubt struct {
	until time.Time
	cause error
}

func (e inDoubt) Error() string {
	return fmt.Sprintf("an earlier request that got no answer may still be carried out until %s, and what it would destroy "+
		"cannot be fetched: %v", e.until.Format(time.RFC3339), e.cause)
}

func (inDoubt) Is(target error) bool { return target == ErrUnavailable }

// secure fetches what is only on the remote, and what a guarded request would destroy if it were carried out after a
// step: what the step brings to a name that the request removes, or what stands where the request would move it to.
func (s *Fs) secure(step tree.Step) error {
	if step.To.Dir == nil { // it brings nothing
		return nil
	}
	var until int64
	err := s.m.Do(func(v *mirror.View) error {
		for _, g := range v.Tree().Guards() {
			if until = g.Since + int64(guardFor); g.Intent.From != step.Path || v.Now() >= until {
				continue
			}
			if n := victim(v, g, step); n != nil && n.Kind == tree.File && n.InView() && !n.Local() {
				if err := v.Present(n); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil && !fatal(err) {
		err = inDoubt{time.Unix(0, until), err}
	}
	return err
}

// victim is what a request would destroy if it were carried out after a step.
func victim(v *mirror.View, g *tree.Guard, step tree.Step) *tree.Node {
	switch g.Intent.Kind {
	case tree.Erase:
		return step.Node
	case tree.Move, tree.Park:
		if n := v.Tree().AtRemote(g.Intent.To); n != step.Node {
			return n
		}
	}
	return nil
}
