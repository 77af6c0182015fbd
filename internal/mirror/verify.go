package mirror

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// hashed is the hash of a local file in the state that stamp describes.
type hashed struct {
	stamp tree.Stamp
	hash  tree.Hash
	err   error
	tries int // how often the call has hashed the file
}

// answers reports whether there is a hash of the state that now describes, or an error.
func (h hashed) answers(now tree.Stamp) bool { return h.err != nil || h.tries > 0 && h.stamp == now }

// mostHashes is how often one call hashes a file that another program keeps writing. Then the file counts as an edit.
const mostHashes = 3

// Verify compares a copy with the local disk. If the stamps differ from the recorded ones, the hash decides whether it is
// still a copy or was edited. A copy that was deleted by hand is recorded as gone. A node without a copy gives way to what
// the user has put in its place, and may be gone from the tree afterwards.
func (v *View) Verify(n *tree.Node) error {
	switch {
	case n.Dirty():
		return nil
	case n.Kind == tree.Dir, n.Content() == tree.Remote:
		return v.giveWay(n)
	case n.Copy().Installing() != "" && v.copies.Joinable(n):
		return need{learn: func(m *FS, _ *knowledge) error { return m.copies.Await(m.ctx, n) }}
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
	return v.compare(n, info)
}

// verifyCopy is Verify for a copy that would be evicted.
func (m *FS) verifyCopy(ctx context.Context, name string) {
	err := m.With(ctx).Do(func(v *View) error {
		if n := v.tree.Lookup(name); n != nil && n.Content() == tree.Owned {
			return v.Verify(n)
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		m.opt.Logger.Warn("copy not compared with its file", "name", name, "err", err)
	}
}

// compare decides from the hash of local bytes whether they are the copy of a node, or what else they are.
func (v *View) compare(n *tree.Node, info localdir.Info) error {
	if !info.IsRegular() { // the user put something else there
		v.copies.Lost(n)
		return v.giveWay(n)
	}
	h, now := v.known.hashed[n.ID], tree.Stamp(info.Stamp)
	switch {
	case h.answers(now):
		return v.judge(n, h)
	case h.tries == mostHashes:
		return v.judge(n, hashed{stamp: now})
	}
	return need{learn: func(m *FS, k *knowledge) error {
		put(&k.hashed, n.ID, m.hashAgain(n.Path(), h))
		return nil
	}}
}

// Prove compares a copy with its hash if a loss of power may have damaged its bytes. If it has, the copy is recorded as
// gone.
func (v *View) Prove(n *tree.Node) error {
	if !v.store.Unproven(n) {
		return nil
	}
	info, err := v.local.Lstat(n.Path())
	switch {
	case localdir.Missing(err):
		v.copies.Lost(n)
		return nil
	case err != nil:
		return err
	}
	return v.compare(n, info)
}

// VerifyBytes is Verify, and then Prove, for a caller that uses the bytes.
func (v *View) VerifyBytes(n *tree.Node) error {
	if err := v.Verify(n); err != nil {
		return err
	}
	return v.Prove(n)
}

// Intact is Prove for callers that can't return a need: it reads the file, which is small, with the lock held. It
// reports whether the node has a proven copy.
func (v *View) Intact(n *tree.Node) bool {
	if v.store.Unproven(n) {
		if err := v.judge(n, v.m.hash(n.Path())); err != nil {
			v.opt.Logger.Warn("copy not proven", "name", n.Path(), "err", err)
		}
	}
	return n.Content() == tree.Owned && !v.store.Unproven(n)
}

// giveWay makes a node without a copy give way to what the user has put in its place. A node that differs is marked as
// edited instead. A directory gives way to a file, unless something in it is queued or edited.
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

// judge decides from a hash whether local bytes are the copy, the remains of a copy after a loss of power, or an edit.
func (v *View) judge(n *tree.Node, h hashed) error {
	switch c := n.Copy(); {
	case h.err != nil:
		return h.err
	case h.hash != c.Hash && c.Boot != 0 && earlier(h.stamp, c.Stamp):
		return v.loseTorn(n, h.stamp)
	case h.hash != c.Hash && c.Prev() != nil: // the new copy did not arrive under its name
		v.tree.BackOut(n)
	}
	c := n.Copy().Settled()
	c.Stamp = h.stamp
	if h.hash == c.Hash {
		if c.Boot != 0 {
			c.Boot = v.store.Boot()
		}
		v.tree.Own(n, c)
		return nil
	}
	if n.Content() != tree.Edited {
		v.opt.Logger.Info("edited behind the file system's back", "name", n.Path())
	}
	v.tree.MarkEdited(n, c)
	return nil
}

// earlier reports whether a file was not changed after it was recorded.
func earlier(now, recorded tree.Stamp) bool {
	return now.Ino != 0 && now.Ino == recorded.Ino && now.CTime <= recorded.CTime
}

// loseTorn records that a loss of power has destroyed a copy. It sets the remains aside instead of deleting them: if
// the clock was set back, they may be an edit.
func (v *View) loseTorn(n *tree.Node, left tree.Stamp) (err error) {
	name := n.Path()
	if left.Size == 0 {
		err = v.copies.Delete(name)
	} else {
		err = v.local.Rename(name, v.store.DiscardedName())
	}
	if err == nil {
		v.opt.Logger.Warn("copy was lost with the power", "name", name)
		v.copies.Lost(n)
	}
	return err
}

// Drop records that a node's copy, if it has one, is no longer in its place.
func (v *View) Drop(n *tree.Node) {
	if n.Content() == tree.Owned {
		v.tree.Drop(n)
	}
}

// hashAgain is hash for a call that has a hash of an earlier state, or none.
func (m *FS) hashAgain(name string, before hashed) hashed {
	h := m.hash(name)
	h.tries = before.tries + 1
	return h
}

// hash returns the hash of a local file.
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
	if _, err := io.Copy(sum, untilDone{m.ctx, io.NewSectionReader(f, 0, 1<<62)}); err != nil {
		return hashed{err: err}
	}
	h.stamp = tree.Stamp(before.Stamp)
	sum.Sum(h.hash[:0])
	return h
}

// untilDone is a reader that fails when a context has ended.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// UsersContent returns the hash of a user's file. The error may be a need.
func (v *View) UsersContent(p Place) (*tree.Hash, error) {
	name := p.Path()
	h := v.known.users[name]
	switch {
	case h.answers(tree.Stamp(p.Local.Stamp)):
		return &h.hash, h.err
	case h.tries == mostHashes:
		return nil, fmt.Errorf("%w: another program is writing it", ErrBusy)
	}
	return nil, need{learn: func(m *FS, k *knowledge) error {
		put(&k.users, name, m.hashAgain(name, h))
		return nil
	}}
}
