package mirror

import (
	"errors"
	"path"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

var _ download.Owner = (*arrival)(nil)

// HasPartial says whether something is left of an earlier download from there.
func (a *arrival) HasPartial() bool {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	return a.m.ledger.Partial(a.From()) != nil
}

// Begin takes note of the version that is about to arrive, and returns what is here of it.
func (a *arrival) Begin(version tree.Meta) *download.Partial {
	m := a.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := a.node; m.fits(a) {
		m.tree.Edit(n)
		if n.Meta == a.known { // else there was a later answer, or this side has changed it
			if n.Diff != nil && !n.Meta.SameVersion(version) {
				n.Diff.Base = nil // of a copy that is gone
			}
			n.Meta = version
		}
		n.Known, n.Checked = tree.Exists, m.Now()
		if err := m.save(); err != nil { // what others have changed
			m.opt.Logger.Warn("not recorded", "err", err)
		}
	}
	return m.ledger.Take(a.From(), version)
}

// Keep takes note of what is left.
func (a *arrival) Keep(p *download.Partial) bool {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	if !a.evicted {
		a.m.ledger.Keep(a.Download, p)
	}
	return !a.evicted
}

// Dropped gives back the room.
func (a *arrival) Dropped() {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	a.m.ledger.Free(a.Download)
}

// Ended has nobody join any more.
func (a *arrival) Ended() {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	if a.m.arrivals[a.node.ID] == a {
		delete(a.m.arrivals, a.node.ID)
	}
	delete(a.m.running, a)
}

// Install gives a copy its name, if its node still wants it: it stands in the view, the remote's version there is not
// newer than the copy, and nothing was written meanwhile. The record comes first, so that whatever is found under
// the name after a crash is known.
func (a *arrival) Install(c download.Copy) (taken bool, err error) {
	m, n := a.m, a.node
	m.mu.Lock()
	if !m.fits(a) || !n.Meta.SameVersion(c.Version) { // or another answer came later
		m.mu.Unlock()
		return false, nil // who waits looks again
	}
	at := c.Ended.UnixNano()
	m.tree.Land(n, tree.Copy{Stamp: stampOf(c.Info), Hash: c.Hash, Fetched: at, Landing: c.Temp,
		Unsure: m.unsure(c.Version, c.Began)})
	n.Known, n.Checked = tree.Exists, at
	if err = m.save(); err == nil {
		m.ledger.Free(a.Download) // it is counted as the node's own
	}
	m.mu.Unlock()
	if err != nil {
		return false, err
	}
	c.Forget(m.local)
	err = m.syncLog()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		return true, m.backOut(n, err)
	}
	if n.Content() != tree.Owned || n.Copy().Landing != c.Temp || !n.InView() {
		_ = m.local.Remove(c.Temp) // changed or removed meanwhile: that stands
		return true, nil
	}
	if err := m.moveIn(n); err != nil {
		return true, err
	}
	if n.Content() == tree.Owned && !n.Copy().Stale { // else it was backed out
		a.Installed()
		delete(m.arrivals, n.ID) // what becomes of the copy now is not its business
	}
	return true, nil
}

// fits says whether what arrives may still become the node's copy.
func (m *FS) fits(a *arrival) bool {
	n := a.node
	return m.arrivals[n.ID] == a && m.tree.Node(n.ID) == n && n.InView() && n.HasBase() &&
		!m.written(n.RemotePath()) &&
		(n.Content() == tree.Remote || n.Content() == tree.Owned && n.Copy().Stale)
}

// moveIn renames a recorded copy into its place.
func (m *FS) moveIn(n *tree.Node) error {
	name, temp, prev := n.Path(), n.Copy().Landing, n.Copy().Prev
	if !m.vacant(name, prev) {
		return m.backOut(n, nil) // who waits looks again
	}
	err := m.rename(temp, name)
	if missing(err) {
		if err = m.makeParent(name); err == nil {
			err = m.rename(temp, name)
		}
	}
	if err != nil {
		return m.backOut(n, download.Room(err))
	}
	if prev != nil {
		m.renamed.add(path.Dir(name)) // it would pass for an edit of the new one
	}
	stamp := n.Copy().Stamp
	if info, err := m.local.Lstat(name); err == nil {
		stamp = stampOf(info) // the rename changed its ctime
	}
	m.tree.Landed(n, stamp)
	return m.save()
}

// vacant says whether a copy may be put under a name: nothing is there, or the copy that it replaces, untouched.
func (m *state) vacant(name string, prev *tree.Copy) bool {
	info, err := m.local.Lstat(name)
	return err != nil && missing(err) || err == nil && prev != nil && stampOf(info) == prev.Stamp
}

// backOut takes back the record of a copy that could not be given its name.
func (m *FS) backOut(n *tree.Node, err error) error {
	_ = m.local.Remove(n.Copy().Landing)
	m.tree.BackOut(n)
	return errors.Join(err, m.save())
}
