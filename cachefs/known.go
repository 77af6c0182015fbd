package cachefs

import (
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// What the cache knows follows what was changed on the remote.

// usersOwn says whether the name belongs to a file of the user's, or an edit of a copy: the remote's file of that
// name is not what the program sees.
func usersOwn(v *mirror.View, name string) (bool, error) {
	if n := v.Tree().Lookup(name); n != nil {
		if err := v.Verify(n); err != nil {
			return false, err
		}
		return n.Ours(), nil
	}
	info, err := v.Local().Lstat(name)
	if err != nil && !localdir.Missing(err) {
		return false, err
	}
	return err == nil && !info.IsDir(), nil
}

// madeDir takes note that the remote has, or may have, a directory of that name now.
func madeDir(v *mirror.View, name string) {
	if n := v.Tree().Lookup(name); n != nil && n.Kind != tree.Dir {
		v.Doubt(name)
		return
	}
	v.RemoteChanged()
}

// refreshed takes what the remote says after a change of attributes that left the content alone. keep says that the
// copy was known to be of the version that was changed.
func refreshed(v *mirror.View, name string, a remote.Answer, keep bool) {
	v.RemoteChanged()
	n := v.Tree().Lookup(name)
	switch {
	case n == nil || n.Differs():
	case n.IsRoot(): // there whatever the answer is
		if a.Known == tree.Exists {
			v.LearnRoot(a)
		}
	case a.Known == tree.Unknown:
		v.Doubt(name)
	case keep && a.Known == tree.Exists && a.Meta.Size == n.Meta.Size:
		v.Tree().Edit(n)
		n.Meta, n.Known, n.Checked = a.Meta, tree.Exists, v.Now()
		v.Tree().Touch(n)
	default:
		v.Learn(n, a)
	}
}

// ownedAs says whether the copy of a name is of the version in an answer.
func ownedAs(v *mirror.View, name string, a remote.Answer) bool {
	n := v.Tree().Lookup(name)
	return n != nil && n.Content() == tree.Owned && !n.Copy().Stale && a.Known == tree.Exists && n.Meta.SameVersion(a.Meta)
}
