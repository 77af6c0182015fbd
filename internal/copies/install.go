package copies

import (
	"errors"
	"path"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remoteclock"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

var _ download.Owner = (*shared)(nil)

// HasPartial says whether something is left of an earlier download from there.
func (a *shared) HasPartial() bool {
	a.m.Lock.Lock()
	defer a.m.Lock.Unlock()
	return a.m.ledger.Partial(a.From()) != nil
}

// Begin takes note of the version that is about to arrive, and returns what is here of it.
func (a *shared) Begin(version tree.Meta) *download.Partial {
	m := a.m
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if n := a.node; m.fits(a) {
		m.tree.Edit(n)
		if n.Meta == a.known { // else there was a later answer, or this side has changed it
			if n.Diff != nil && !n.Meta.SameVersion(version) {
				n.Diff.Base = nil // of a copy that is gone
			}
			n.Meta = version
		}
		n.Known, n.Checked = tree.Exists, m.Now().UnixNano()
		if err := m.store.Save(); err != nil { // what others have changed
			m.Logger.Warn("not recorded", "err", err)
		}
	}
	return m.ledger.Take(a.From(), version)
}

// Keep takes note of what is left.
func (a *shared) Keep(p *download.Partial) bool {
	a.m.Lock.Lock()
	defer a.m.Lock.Unlock()
	if !a.evicted {
		a.m.ledger.Keep(a.Download, p)
	}
	return !a.evicted
}

// Dropped gives back the room.
func (a *shared) Dropped() {
	a.m.Lock.Lock()
	defer a.m.Lock.Unlock()
	a.m.ledger.Free(a.Download)
}

// Ended has nobody join any more.
func (a *shared) Ended() {
	a.m.Lock.Lock()
	defer a.m.Lock.Unlock()
	if a.m.joinable[a.node.ID] == a {
		delete(a.m.joinable, a.node.ID)
	}
	delete(a.m.running, a)
}

// Install gives a copy its name, if its node still wants it: it stands in the view, the remote's version there is not
// newer than the copy, and nothing was written meanwhile. The record comes first, so that whatever is found under
// the name after a crash is known.
func (a *shared) Install(c download.Copy) (taken bool, err error) {
	m, n := a.m, a.node
	m.Lock.Lock()
	if !m.fits(a) || !n.Meta.SameVersion(c.Version) { // or another answer came later
		m.Lock.Unlock()
		return false, nil // who waits looks again
	}
	at := c.Ended.UnixNano()
	m.tree.Install(n, tree.Copy{Stamp: tree.Stamp(c.Info.Stamp), Hash: c.Hash, Fetched: at, Installing: c.Temp,
		Unsure: remoteclock.Unsure(c.Version.MTime, m.Clock.At(c.Began))})
	n.Known, n.Checked = tree.Exists, at
	if err = m.store.Save(); err == nil {
		m.ledger.Free(a.Download) // it is counted as the node's own
	}
	m.Lock.Unlock()
	if err != nil {
		return false, err
	}
	c.Forget(m.Local)
	err = m.store.Sync()
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if err != nil {
		return true, m.backOut(n, err)
	}
	if n.Content() != tree.Owned || n.Copy().Installing != c.Temp || !n.InView() {
		_ = m.Local.Remove(c.Temp) // changed or removed meanwhile: that stands
		return true, nil
	}
	if err := m.moveIn(n); err != nil {
		return true, err
	}
	if n.Content() == tree.Owned && !n.Copy().Stale { // else it was backed out
		a.Installed()
		delete(m.joinable, n.ID) // what becomes of the copy now is not its business
	}
	return true, nil
}

// fits says whether what arrives may still become the node's copy.
func (m *Set) fits(a *shared) bool {
	n := a.node
	return m.joinable[n.ID] == a && m.tree.Node(n.ID) == n && n.InView() && n.HasBase() &&
		!m.BeingWritten(n.RemotePath()) &&
		(n.Content() == tree.Remote || n.Content() == tree.Owned && n.Copy().Stale)
}

// moveIn renames a recorded copy into its place.
func (m *Set) moveIn(n *tree.Node) error {
	name, temp, prev := n.Path(), n.Copy().Installing, n.Copy().Prev
	if !m.store.Vacant(name, prev) {
		return m.backOut(n, nil) // who waits looks again
	}
	err := m.store.Rename(temp, name)
	if localdir.Missing(err) {
		if err = m.store.MakeParent(name); err == nil {
			err = m.store.Rename(temp, name)
		}
	}
	if err != nil {
		return m.backOut(n, download.Room(err))
	}
	if prev != nil {
		m.store.NameChanged(path.Dir(name)) // it would pass for an edit of the new one
	}
	stamp := n.Copy().Stamp
	if info, err := m.Local.Lstat(name); err == nil {
		stamp = tree.Stamp(info.Stamp) // the rename changed its ctime
	}
	m.tree.Installed(n, stamp)
	return m.store.Save()
}

// backOut takes back the record of a copy that could not be given its name.
func (m *Set) backOut(n *tree.Node, err error) error {
	_ = m.Local.Remove(n.Copy().Installing)
	m.tree.BackOut(n)
	return errors.Join(err, m.store.Save())
}
