package mirror

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Forget drops what is known about a name and everything below it, with the copies.
func (v *View) Forget(name string) {
	v.RemoteChanged()
	if n := v.tree.Lookup(name); n != nil && !n.IsRoot() {
		up := n.Parent()
		v.vanish(n)
		v.prune(up)
	}
}

// prune forgets directories about which nothing is known any more, unless they are open.
func (v *View) prune(dir *tree.Node) {
	v.tree.Prune(dir, func(n *tree.Node) bool { return v.openDirs[n.ID] > 0 })
}

// Doubt records that a change of a name may or may not have been made. The copies stay, and are revalidated before they are
// used next, whatever Revalidate says.
func (v *View) Doubt(name string) {
	v.RemoteChanged()
	if n := v.tree.Lookup(name); n != nil {
		v.doubt(n)
	}
}

func (v *View) doubt(n *tree.Node) {
	n.Kids(v.doubt)
	switch {
	case n.IsRoot() || n.Differs() || !n.HasBase():
	case n.Content() == tree.Owned:
		v.tree.Edit(n).Known = tree.Unknown
		v.tree.Touch(n)
	default:
		v.tree.Edit(n).Checked = 0
	}
}

// Renamed moves the nodes and copies of a name after the remote has renamed it.
func (v *View) Renamed(oldname, newname string) error {
	dirname, base := tree.Split(newname)
	p, err := v.Find(dirname, true)
	if err != nil {
		return err
	}
	dir, err := v.Enter(p)
	if err != nil {
		return err
	}
	if err := v.occupy(tree.Join(dir.Path(), base)); err != nil {
		return err
	}
	v.RemoteChanged()
	v.renameWritten(oldname, tree.Join(dir.RemotePath(), base))
	n := v.tree.Lookup(oldname)
	if replaced := dir.Kid(base); replaced != nil && replaced != n {
		v.vanish(replaced)
		if n != nil && dir.Kid(base) != nil { // a copy could not be deleted: its node keeps the name, to be revalidated
			v.Forget(oldname)
			return nil
		}
	}
	if n == nil {
		v.prune(dir)
		return nil
	}
	up, from := n.Parent(), n.Path()
	v.tree.Move(n, dir, base, tree.Exists, v.Now())
	v.tree.Rebase(n, dir, base)
	err = v.save(tree.Action{Kind: tree.RenameLocal, From: from, To: n.Path()}) // occupy has asked for what it needs
	v.copies.Tidy(up)
	v.prune(up)
	return err
}

// remoteWrite is a file that the program has open for writing on the remote.
type remoteWrite struct {
	name string // "": the file has no name any more; guarded by state.mu
}

// written reports whether the program has a file of the remote open for writing. m.mu is held.
func (m *state) written(name string) bool {
	for w := range m.writing {
		if w.name == name {
			return true
		}
	}
	return false
}

// writtenIn reports whether the program has a file in a directory of the remote open for writing. Cached listings of
// the directory have old sizes then. m.mu is held.
func (m *state) writtenIn(dir string) bool {
	for w := range m.writing {
		if up, _ := tree.Split(w.name); w.name != "" && up == dir {
			return true
		}
	}
	return false
}

// renameWritten makes files that are being written follow a rename on the remote.
func (v *View) renameWritten(oldname, newname string) {
	for w := range v.writing {
		if w.name == newname {
			w.name = ""
		} else if tree.Within(w.name, oldname) {
			w.name = newname + strings.TrimPrefix(w.name, oldname)
		}
	}
}

// WriteThrough opens a file on the remote for writing. Until it is closed, reads of the name go to the remote, and no copy
// of it is kept.
func (m *FS) WriteThrough(clean, name string, flag int, perm fs.FileMode) (*remote.File, error) {
	w := &remoteWrite{clean}
	m.mu.Lock()
	m.writing[w] = true
	m.mu.Unlock()
	done := func(learn func(*View, string)) {
		_ = m.Do(func(v *View) error { // fails only after Close
			delete(v.writing, w)
			if w.name != "" {
				learn(v, w.name)
			}
			return nil
		})
	}
	var f afero.File
	err := m.Alter(func() (err error) {
		f, err = m.remote.Fs().OpenFile(m.remote.Name(clean), flag, perm)
		return err
	}, clean)
	if err != nil {
		done((*View).Doubt)
		return nil, remote.Error(err)
	}
	err = m.Do(func(v *View) error { v.Forget(clean); return nil })
	if err != nil {
		err = errors.Join(err, f.Close())
		done((*View).Forget)
		return nil, err
	}
	return remote.NewFile(f, name, func() { done((*View).Forget) }), nil
}
