package mirror

import (
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// This file is for a user that changes the remote first: what the mirror knows follows.

// Lookup is the node of a clean path, without asking anybody and without following links; nil if there is none.
func (v *View) Lookup(name string) *tree.Node {
	n := v.tree.Root()
	for _, element := range elements(name) {
		if n = n.Kid(element); n == nil {
			return nil
		}
	}
	return n
}

// UsersOwn says whether the name belongs to a file of the user's, or an edit of a copy: the remote's file of that
// name is not what the program sees.
func (v *View) UsersOwn(name string) (bool, error) {
	if n := v.Lookup(name); n != nil {
		if err := v.Verify(n); err != nil {
			return false, err
		}
		return n.Dirty(), nil
	}
	info, err := v.local.Lstat(name)
	if err != nil && !missing(err) {
		return false, err
	}
	return err == nil && !info.IsDir(), nil
}

// Forget drops what is known about a name and below it, with the copies.
func (v *View) Forget(name string) {
	v.RemoteChanged()
	if n := v.Lookup(name); n != nil && !n.IsRoot() {
		up := n.Parent()
		v.vanish(n)
		v.tree.Prune(up)
	}
}

// Renamed moves what is known about a name, with the copies, after the remote has renamed it. dir is the directory
// of the new name.
func (v *View) Renamed(oldname string, dir *tree.Node, base string) error {
	v.RemoteChanged()
	n := v.Lookup(oldname)
	if n == nil {
		return nil
	}
	up, from := n.Parent(), n.Path()
	v.tree.Move(n, dir, base, tree.Exists, v.Now())
	v.tree.Rebase(n, dir, base)
	v.tree.Prune(up)
	return v.Save(tree.Action{Kind: tree.RenameLocal, From: from, To: n.Path()})
}

// Refreshed takes what the remote says after a change of attributes that left the content alone. keep says that the
// copy was known to be of the version that was changed.
func (v *View) Refreshed(name string, a Answer, keep bool) {
	v.RemoteChanged()
	n := v.Lookup(name)
	if n == nil || n.IsRoot() || n.Differs() {
		return
	}
	if n.Content == tree.Owned && (!keep || a.Known != tree.Exists || a.Meta.Size != n.Meta.Size) {
		v.Forget(name)
		return
	}
	if a.Known == tree.Exists {
		v.tree.Edit(n)
		n.Meta, n.Checked = a.Meta, v.Now()
		v.tree.Touch(n)
	}
}

// OwnedAs says whether the copy of a name is of the version in an answer.
func (v *View) OwnedAs(name string, a Answer) bool {
	n := v.Lookup(name)
	return n != nil && n.Content == tree.Owned && !n.Copy.Stale && a.Known == tree.Exists && n.Meta.SameVersion(a.Meta)
}

// WriteThrough marks a name as being written on the remote: until done is called, it is read there and no copy of it
// is kept.
func (m *FS) WriteThrough(name string) (done func()) {
	_ = m.Do(func(v *View) error {
		v.writing[name]++
		v.Forget(name)
		return nil
	})
	return func() {
		_ = m.Do(func(v *View) error {
			if v.writing[name]--; v.writing[name] == 0 {
				delete(v.writing, name)
			}
			v.Forget(name)
			return nil
		})
	}
}
