package mirror

import (
	"errors"
	"path"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// land gives a copy its name, if its node still wants it: it stands in the view, the remote's version there is not
// newer than the copy, and nothing was written meanwhile. The record comes first, so that whatever is found under
// the name after a crash is known.
func (m *FS) land(n *tree.Node, f *flight, temp string, got arrived) (bool, error) {
	size := got.stamp.Size
	m.mu.Lock()
	if !m.wanted(n, f) {
		m.mu.Unlock()
		return false, nil // who waits looks again
	}
	prev := n.Copy
	if prev != nil {
		prev = &tree.Copy{Stamp: prev.Stamp, Hash: prev.Hash, Fetched: prev.Fetched}
	}
	m.tree.Edit(n)
	n.Content = tree.Owned
	n.Copy = &tree.Copy{Stamp: got.stamp, Hash: got.hash, Fetched: got.at, Landing: true, Prev: prev,
		Unsure: unsure(got.meta.MTime, got.at)}
	n.Meta, n.Known, n.Checked = got.meta, tree.Exists, got.at
	m.tree.Touch(n)
	// The temporary name that restore looks for.
	err := m.save(tree.Action{Kind: tree.RenameLocal, From: temp, To: tempName(n)})
	if err == nil && prev != nil {
		m.used -= prev.Stamp.Size // the new one takes its place
	}
	m.mu.Unlock()
	if err != nil {
		return false, err
	}
	err = m.syncLog()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		return true, m.backOut(n, size, err)
	}
	if n.Content != tree.Owned || !n.Copy.Landing || n.Copy.Hash != got.hash || !n.InView() {
		_ = m.local.Remove(tempName(n)) // changed or removed meanwhile: that stands
		return true, nil
	}
	if err := m.touchDown(n, size); err != nil {
		return true, err
	}
	return true, nil
}

// wanted says whether a fetch may still give the node its bytes.
func (m *FS) wanted(n *tree.Node, f *flight) bool {
	return m.flights[n.ID] == f && m.tree.Node(n.ID) == n && n.InView() && n.HasBase() &&
		m.writing[n.RemotePath()] == 0 &&
		(n.Content == tree.Remote || n.Content == tree.Owned && n.Copy.Stale)
}

// touchDown renames a recorded copy into its place.
func (m *FS) touchDown(n *tree.Node, size int64) error {
	name, prev := n.Path(), n.Copy.Prev
	if !m.vacant(name, prev) {
		return m.backOut(n, size, nil) // who waits looks again
	}
	err := m.makeParent(name)
	if err == nil {
		err = m.rename(tempName(n), name)
	}
	if err != nil {
		return m.backOut(n, size, room(err))
	}
	if prev != nil {
		m.renamed.add(path.Dir(name)) // it would pass for an edit of the new one
	}
	m.tree.Edit(n)
	n.Copy.Landing, n.Copy.Prev = false, nil
	if info, err := m.local.Lstat(name); err == nil {
		n.Copy.Stamp = stampOf(info) // the rename changed its ctime
	}
	m.tree.Touch(n)
	return m.save()
}

// vacant says whether a copy may be put under a name: nothing is there, or the copy that it replaces, untouched.
func (m *FS) vacant(name string, prev *tree.Copy) bool {
	info, err := m.local.Lstat(name)
	return err != nil && missing(err) || err == nil && prev != nil && stampOf(info) == prev.Stamp
}

// backOut takes back the record of a copy that could not be given its name.
func (m *FS) backOut(n *tree.Node, size int64, err error) error {
	_ = m.local.Remove(tempName(n))
	m.used -= size
	m.tree.Edit(n)
	if n.Copy.Prev != nil {
		n.Copy = n.Copy.Prev
		n.Copy.Stale = true
		m.used += n.Copy.Stamp.Size
	} else {
		n.Content, n.Copy = tree.Remote, nil
	}
	m.tree.Touch(n)
	return errors.Join(err, m.save())
}
