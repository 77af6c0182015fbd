package syncfs

import (
	"cmp"
	"errors"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localstore"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// setTimes sets the times of a file. Changed or edited bytes get them in the local directory; the times of a copy are
// queued.
func setTimes(v *mirror.View, n *tree.Node, atime, mtime time.Time) error {
	n.Stir(0)
	if !n.Ours() {
		a := &v.Tree().Note(n, v.Now()).Attr
		a.Set |= tree.AttrTimes
		a.ATime, a.MTime = atime.UnixNano(), mtime.UnixNano()
		return nil
	}
	name := n.Path()
	info, err := v.Local().Lstat(name)
	if err != nil {
		return err
	}
	if n.Content() == tree.Edited || n.Content() == tree.Changed && !localstore.AsQueued(n, info) { // it stays edited
		return v.Local().Chtimes(name, atime, mtime)
	}
	d := v.Tree().Note(n, v.Now())
	written := info.Stamp.MTime
	if d.Written != 0 && n.Copy().Stamp.MTime == info.Stamp.MTime {
		written = d.Written // the program has set a time before
	}
	d.Written = info.Stamp.MTime // if the process dies now, or what follows fails, the file has either time
	stamp := n.Copy().Stamp
	stamp.MTime = mtime.UnixNano()
	v.Tree().Restamp(n, stamp)
	if err := v.Save(); err != nil {
		return err
	}
	failed := v.Local().Chtimes(name, atime, mtime)
	if info, err = v.Local().Lstat(name); err != nil {
		return cmp.Or(failed, err)
	}
	v.Tree().Restamp(n, tree.Stamp(info.Stamp))
	v.Tree().Note(n, v.Now()).Written = written
	if failed != nil {
		return errors.Join(failed, v.Save())
	}
	return nil
}
