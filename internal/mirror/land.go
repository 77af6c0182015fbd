package mirror

import (
	"errors"
	"os"
	"path"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// land gives a copy its name, if its node still wants it: it stands in the view, the remote's version there is not
// newer than the copy, and nothing was written meanwhile. The record comes first, so that whatever is found under
// the name after a crash is known.
func (m *FS) land(a *arrival, got copied) (bool, error) {
	n := a.node
	m.mu.Lock()
	if !m.fits(a) || !n.Meta.SameVersion(got.meta) { // or another answer came later
		m.mu.Unlock()
		return false, nil // who waits looks again
	}
	m.tree.Land(n, tree.Copy{Stamp: got.stamp, Hash: got.hash, Fetched: got.at, Landing: a.temp,
		Unsure: m.unsure(got.meta, a.began)})
	n.Known, n.Checked = tree.Exists, got.at
	err := m.save()
	if err == nil {
		m.transit.set(a, 0) // it is counted as the node's own
	}
	m.mu.Unlock()
	if err != nil {
		return false, err
	}
	if path.Dir(a.temp) == localdir.PartialDir {
		_ = m.local.Remove(a.temp + noteSuffix)
	}
	err = m.syncLog()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		return true, m.backOut(n, err)
	}
	if n.Content() != tree.Owned || n.Copy().Landing != a.temp || !n.InView() {
		_ = m.local.Remove(a.temp) // changed or removed meanwhile: that stands
		return true, nil
	}
	if err := m.touchDown(n); err != nil {
		return true, err
	}
	if n.Content() == tree.Owned && !n.Copy().Stale { // else it was backed out
		a.change(func() { a.state = given })
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

// touchDown renames a recorded copy into its place.
func (m *FS) touchDown(n *tree.Node) error {
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
		return m.backOut(n, room(err))
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

// stopArrival has what arrives for a node come to nothing.
func (m *state) stopArrival(n *tree.Node) {
	if a := m.arrivals[n.ID]; a != nil {
		delete(m.arrivals, n.ID)
		a.leaving = true
		a.abort(errGiven)
	}
}

// giveArriving has who reads a node's bytes while they arrive see what becomes of them: the node has others under a local
// name now. Should that not work, each handle finds out by itself that it has to read there.
func (m *state) giveArriving(n *tree.Node, path string) {
	a := m.arrivals[n.ID]
	if a == nil {
		return
	}
	if a.handles > 0 {
		if file, err := m.local.OpenFile(path, os.O_RDONLY, 0); err == nil {
			if temp := a.give(file); temp != "" {
				m.removeTemp(temp)
			}
		}
	}
	m.stopArrival(n)
}
