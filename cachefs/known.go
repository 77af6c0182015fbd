package cachefs

import (
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// How changes of the remote change what the cache knows.

// usersOwn reports whether a name belongs to a user's file, or to an edited copy. Then the program does not see the
// remote's file of that name.
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

// madeDir records that the remote has, or may have, a directory of that name.
func madeDir(v *mirror.View, name string) {
	if n := v.Tree().Lookup(name); n != nil && n.Kind != tree.Dir {
		v.Doubt(name)
		return
	}
	v.RemoteChanged()
}

// refreshed records the remote's answer after a change of attributes that left the content alone. keep is set if the
// copy was known to have the version that was changed.
func refreshed(v *mirror.View, name string, a remote.Answer, keep bool) {
	v.RemoteChanged()
	n := v.Tree().Lookup(name)
	switch {
	case n == nil || n.Differs():
	case n.IsRoot(): // it exists whatever the answer is
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

// ownedAs reports whether the copy of a name has the version in an answer.
func ownedAs(v *mirror.View, name string, a remote.Answer) bool {
	n := v.Tree().Lookup(name)
	return n != nil && n.Content() == tree.Owned && !n.Copy().Stale && a.Known == tree.Exists && n.Meta.SameVersion(a.Meta)
}
