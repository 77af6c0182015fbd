package mirror

import (
	"crypto/sha256"
	"io"
	"os"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// hashed is the content of a local file in one state.
type hashed struct {
	stamp tree.Stamp
	hash  tree.Hash
	err   error
}

// Verify compares a copy with the local disk. If the stamps differ from the recorded ones, the hash decides whether it is
// still a copy or was edited. A copy that was deleted by hand is recorded as gone. A node without a copy gives way to what
// the user has put in its place, and may be gone from the tree afterwards.
func (v *View) Verify(n *tree.Node) error {
	switch {
	case n.Dirty():
		return nil
	case n.Kind == tree.Dir, n.Content() == tree.Remote:
		return v.giveWay(n)
	case n.Copy().Installing != "" && v.copies.Joinable(n):
		return need{func(m *FS, _ *knowledge) error { return m.copies.Await(m.ctx, n) }}
	}
	name := n.Path()
	info, err := v.local.Lstat(name)
	switch {
	case err != nil && localdir.Missing(err):
		v.copies.Lost(n)
		return nil
	case err != nil:
		return err
	case tree.Stamp(info.Stamp) == n.Copy().Stamp:
		return nil
	}
	if !info.IsRegular() { // the user put something else there
		v.copies.Lost(n)
		return v.giveWay(n)
	}
	h, ok := v.known.hashed[n.ID]
	if !ok || h.err == nil && h.stamp != tree.Stamp(info.Stamp) {
		return need{func(m *FS, k *knowledge) error {
			put(&k.hashed, n.ID, m.hash(name))
			return nil
		}}
	}
	if h.err != nil {
		return h.err
	}
	v.judge(n, h)
	return nil
}

// giveWay makes a node without a copy give way to what the user has put in its place. A node that differs is edited instead.
// A directory gives way to a file, unless something in it is queued.
func (v *View) giveWay(n *tree.Node) error {
	info, err := v.local.Lstat(n.Path())
	switch {
	case err != nil && localdir.Missing(err):
		return nil
	case err != nil:
		return err
	case n.Kind == tree.Dir:
		if !info.IsDir() && !n.IsRoot() && !stays(n) && !differsBelow(n) {
			v.vanish(n)
		}
	case !n.Differs():
		v.tree.Forget(n)
	case n.Kind == tree.File && info.IsRegular():
		v.tree.MarkEdited(n, tree.Copy{Stamp: tree.Stamp(info.Stamp)})
	}
	return nil
}

// judge decides from a hash whether local bytes are the copy or an edit.
func (v *View) judge(n *tree.Node, h hashed) {
	if n.Copy().Prev != nil && h.hash != n.Copy().Hash { // the new copy did not arrive under its name
		v.tree.BackOut(n)
	}
	c := n.Copy()
	c.Stamp, c.Installing, c.Prev = h.stamp, "", nil
	if h.hash == c.Hash {
		v.tree.Own(n, c)
		return
	}
	if n.Content() != tree.Edited {
		v.opt.Logger.Info("edited behind the file system's back", "name", n.Path())
	}
	v.tree.MarkEdited(n, c)
}

// Drop records that a node's copy, if it has one, is no longer in its place.
func (v *View) Drop(n *tree.Node) {
	if n.Content() == tree.Owned {
		v.tree.Drop(n)
	}
}

// hash reads a local file.
func (m *FS) hash(name string) (h hashed) {
	f, err := m.local.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return hashed{err: err}
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return hashed{err: err}
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, 1<<62)); err != nil {
		return hashed{err: err}
	}
	h.stamp = tree.Stamp(before.Stamp)
	sum.Sum(h.hash[:0])
	return h
}

// UsersContent returns the hash of a file of the user's. The error may be a need.
func (v *View) UsersContent(p Place) (*tree.Hash, error) {
	name := p.Path()
	h, ok := v.known.users[name]
	if !ok || h.err == nil && h.stamp != tree.Stamp(p.Local.Stamp) {
		return nil, need{func(m *FS, k *knowledge) error {
			put(&k.users, name, m.hash(name))
			return nil
		}}
	}
	return &h.hash, h.err
}
