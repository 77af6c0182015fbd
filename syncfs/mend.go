package syncfs

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// mender records in the tree what late requests have done. The tree then differs from the view.
type mender struct {
	v      *mirror.View
	s      *Fs
	guards []*tree.Guard
	sights []sight // of each guard
}

func (m mender) mend() {
	for i, g := range m.guards { // what was found elsewhere is not lost
		from := m.v.Tree().AtRemote(g.Intent.From)
		if g.Intent.Kind.Renames() && thought(from) && m.sights[i].from.Known == tree.Absent {
			m.trace(from, i, make([]bool, len(m.guards)))
		}
	}
	for i, g := range m.guards {
		if m.sights[i].err == nil {
			m.take(g, m.sights[i])
		}
	}
}

// trace looks for a node where a rename would have moved it, and then where other renames would have moved it from
// there.
func (m mender) trace(n *tree.Node, i int, seen []bool) (found bool) {
	seen[i] = true
	if m.sights[i].err == nil && m.moved(n, m.guards[i].Intent.To, m.sights[i]) {
		return true
	}
	for j, g := range m.guards {
		if !seen[j] && g.Intent.Kind.Renames() && g.Intent.From == m.guards[i].Intent.To && m.trace(n, j, seen) {
			return true
		}
	}
	return false
}

// take records in the tree what one request has done.
func (m mender) take(g *tree.Guard, at sight) {
	i, t := &g.Intent, m.v.Tree()
	from, to := t.AtRemote(i.From), t.AtRemote(i.To)
	switch i.Kind {
	case tree.Erase, tree.Move, tree.Park:
		if at.from.Known == tree.Absent {
			m.lost(from)
		}
		if !sameThing(at.from, at.to) {
			m.came(g, to, at)
		}
	case tree.Make:
		m.came(g, to, at)
		m.setMode(to, at.to, i.Meta.Mode)
	case tree.Reset:
		m.setAttrs(to, at.to, i)
	case tree.Publish:
		m.came(g, to, at)
		m.leftover(i.From, at.from)
	case tree.Deliver:
		switch {
		case i.From != "" && at.from.Known == tree.Absent:
			m.lost(to)
		case !at.sent:
			m.setAttrs(to, at.to, i)
		case thought(to) && to.Kind == tree.File:
			resend(m.v, to, at.to.Meta)
		default:
			m.lost(to)
			if m.v.Tree().AtRemote(i.To) == nil {
				m.appeared(i.To, at.to, false)
			}
		}
	case tree.Upload:
		m.leftover(i.From, at.from)
	}
}

// thought reports whether the remote is believed to have a node.
func thought(n *tree.Node) bool { return n != nil && n.Known == tree.Exists && !n.IsRoot() }

// lost records that the remote no longer has a node, nor what is below it.
func (m mender) lost(n *tree.Node) {
	if !thought(n) {
		return
	}
	var kids []*tree.Node
	n.RemoteKids(func(k *tree.Node) { kids = append(kids, k) })
	for _, k := range kids {
		m.lost(k)
	}
	if !m.v.Restore(n) {
		m.s.logger.Error("a request that was carried out late has removed a file of which there is no copy", "name", n.RemotePath())
	}
}

// moved records that a rename has moved a node to a path, if it is there. It reports whether it is.
func (m mender) moved(n *tree.Node, path string, at sight) bool {
	to := m.v.Tree().AtRemote(path)
	if !is(n, at.to) || n.Kind == tree.Dir && is(to, at.to) && !hasKid(n, at.names) {
		return false
	}
	up, name := tree.Split(path)
	dir := dirOf(m.v, up)
	if dir == nil || below(dir, n) {
		return true
	}
	if n.Kind == tree.Dir && is(to, at.to) && to.InView() { // it was found there before it was looked for
		m.v.Forget(to.Path())
	} else {
		m.lost(to)
	}
	if dir.OnRemote(name) == nil {
		m.v.Tree().Rebase(n, dir, name)
	}
	return true
}

// is reports whether a node may be what the remote has somewhere. All directories are alike.
func is(n *tree.Node, now remote.Answer) bool {
	return thought(n) && sameThing(now, remote.Answer{Known: n.Known, Kind: n.Kind, Meta: n.Meta, Target: n.Target()})
}

func sameThing(a, b remote.Answer) bool {
	return a.Known == tree.Exists && b.Known == tree.Exists && a.Kind == b.Kind && a.Target == b.Target &&
		(a.Kind != tree.File || a.Meta.SameVersion(b.Meta))
}

// hasKid reports whether the remote is believed to have one of the names in a directory.
func hasKid(dir *tree.Node, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return dir.OnRemote(name) != nil })
}

// came records that a request has brought something to the name that it leads to, if this client does not want it
// there.
func (m mender) came(g *tree.Guard, n *tree.Node, at sight) {
	path, now := g.Intent.To, at.to
	brought := func(h *tree.Guard) bool {
		return (h.Kind != tree.Dir || at.empty) &&
			sameThing(now, remote.Answer{Known: tree.Exists, Kind: h.Kind, Meta: h.Intent.Meta, Target: h.Target})
	}
	before := func(h *tree.Guard) bool { return g.Intent.Kind.Renames() && h.Intent.To == g.Intent.From && brought(h) }
	published := g.Intent.Kind == tree.Publish && at.from.Known == tree.Absent // its temporary file was renamed
	putBack := g.Intent.Aside != "" && sameThing(now, remote.Answer{Known: tree.Exists, Kind: tree.File, Meta: g.Base})
	switch {
	case is(n, now), !brought(g) && !putBack && !slices.ContainsFunc(m.v.Tree().Guards(), before):
	case !published && m.elsewhere(now):
	case thought(n) && n.Kind == tree.File && now.Kind == tree.File:
		resend(m.v, n, now.Meta)
	default:
		m.lost(n)
		if m.v.Tree().AtRemote(path) == nil {
			m.appeared(path, now, false)
		}
	}
}

// elsewhere reports whether a file that was found is believed to be under another name. Then another client has copied
// it.
func (m mender) elsewhere(now remote.Answer) (yes bool) {
	m.v.Tree().Nodes(func(n *tree.Node) { yes = yes || n.Kind == tree.File && n.HasBase() && is(n, now) })
	return yes
}

// leftover records a temporary file that nothing refers to.
func (m mender) leftover(path string, now remote.Answer) {
	if now.Known == tree.Exists && now.Kind == tree.File && m.v.Tree().AtRemote(path) == nil {
		m.appeared(path, now, true)
	}
}

// appeared records that the remote has something that this client has made and does not want.
func (m mender) appeared(path string, now remote.Answer, temp bool) {
	up, name := tree.Split(path)
	dir := dirOf(m.v, up)
	if dir == nil {
		return
	}
	n := m.v.Tree().Hide(dir, name, now.Kind, tree.Exists, now.Meta, m.v.Now())
	n.SetTarget(now.Target)
	n.Temp = temp
}

// setAttrs queues the attributes again that a late request has changed.
func (m mender) setAttrs(to *tree.Node, now remote.Answer, late *tree.Intent) {
	if late.Attr.Set&tree.AttrMode != 0 {
		m.setMode(to, now, late.Attr.Mode)
	}
	if late.Attr.Set&tree.AttrTimes != 0 {
		m.setTimes(to, now, late)
	}
}

// setMode queues the mode again that a late request has changed.
func (m mender) setMode(n *tree.Node, now remote.Answer, late fs.FileMode) {
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

// setTimes queues the times again that a late request has changed.
func (m mender) setTimes(n *tree.Node, now remote.Answer, late *tree.Intent) {
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

// inDoubt is the error of a step that is not made, because a request in doubt may still be executed and would destroy
// content that can't be downloaded. It matches ErrUnavailable.
type inDoubt struct {
	until time.Time
	cause error
}

func (e inDoubt) Error() string {
	return fmt.Sprintf("an earlier request that got no answer may still be carried out until %s, and what it would destroy "+
		"cannot be fetched: %v", e.until.Format(time.RFC3339), e.cause)
}

func (inDoubt) Is(target error) bool { return target == ErrUnavailable }

// secure downloads content that is only on the remote and that a guarded request would destroy if it were executed
// after a step: what the step brings to a name that the request removes, or what is at the name that the request would
// rename it to.
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

// victim returns the node that a request would destroy if it were executed after a step; nil if there is none.
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

// resend records that a late request of this client has replaced the version of a node, so that the next push replaces
// it again.
func resend(v *mirror.View, n *tree.Node, there tree.Meta) {
	if n.InView() && v.Intact(n) && !n.Copy().Stale {
		v.Tree().KeepAttrs(n, there, v.Now())
		v.Tree().Change(n, tree.Copy{Stamp: n.Copy().Stamp})
	}
	v.Tree().Edit(n).Meta = there
	if n.Diff != nil {
		n.Diff.Base = nil
	}
	v.Tree().Touch(n)
}
