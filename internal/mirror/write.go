package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// This file is for a user that changes the local side first.

// Umasked takes the bits from a mode that the system takes from new files.
func (v *View) Umasked(mode fs.FileMode) fs.FileMode { return mode.Perm() &^ v.local.Umask() }

// NewFile makes an empty file at a place where the view has none, and opens it.
func (v *View) NewFile(p Place, name string, flag int, perm fs.FileMode) (*File, error) {
	meta := tree.Meta{Mode: v.Umasked(perm), MTime: v.Now()}
	n := v.tree.Create(p.Dir, p.Name, tree.File, meta, p.Answer.Known, v.Now())
	n.Content, n.Copy = tree.Busy, &tree.Copy{}
	v.tree.Touch(n)
	if err := v.Save(); err != nil {
		return nil, err
	}
	f, err := v.emptied(n, name, flag)
	if err != nil {
		if info, statErr := v.local.Lstat(n.Path()); statErr == nil && info.Size() == 0 {
			_ = v.local.Remove(n.Path()) // made, and not opened
		}
		v.tree.Unlink(n, v.Now())
	}
	return f, err
}

// Emptied opens a node whose bytes are to be none, without fetching them. What was a copy of the remote's is recorded
// as changed, for good, before the local file is.
func (v *View) Emptied(n *tree.Node, name string, flag int) (*File, error) {
	wasRemotes := !n.Dirty()
	back := v.revertible(n)
	if n.Content == tree.Owned {
		v.used -= n.Copy.Stamp.Size
	}
	v.tree.Edit(n)
	n.Content, n.Copy = tree.Busy, &tree.Copy{Added: n.Copy != nil && n.Copy.Added}
	v.tree.Note(n, v.Now()).Attr.Set &^= tree.AttrTimes
	v.tree.Touch(n)
	if err := v.Save(); err != nil {
		return nil, err
	}
	if wasRemotes {
		if err := v.log.Sync(); err != nil {
			back()
			return nil, err
		}
	}
	f, err := v.emptied(n, name, flag)
	if err != nil {
		back()
	}
	return f, err
}

// revertible returns a function that gives a node its present content back, for a change that failed before it touched the
// bytes.
func (v *View) revertible(n *tree.Node) (back func()) {
	content, copied, diff := n.Content, n.Copy, n.Diff
	if diff != nil {
		d := *diff
		diff = &d
	}
	return func() {
		v.tree.Edit(n)
		n.Content, n.Copy, n.Diff = content, copied, diff
		if content == tree.Owned {
			v.used += copied.Stamp.Size
		}
		v.tree.Touch(n)
	}
}

func (v *View) emptied(n *tree.Node, name string, flag int) (*File, error) {
	path := n.Path()
	if err := v.makeParent(path); err != nil {
		return nil, err
	}
	// The library has to read and write what the program may not.
	local, err := v.local.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, n.Meta.Mode.Perm()|0o600)
	if err != nil {
		return nil, err
	}
	f := &File{m: v.FS, name: name, flag: flag, local: local, node: n, shared: v.share(n), wrote: true}
	f.shared.dirty++
	f.shared.busy.Store(true)
	f.shared.generation.Add(1)
	return f, nil
}

// Adopt makes a node of a file of the user's: a change whose base is what the remote answers about the name.
func (v *View) Adopt(p Place) (*tree.Node, error) {
	remote, err := v.Shadow(p)
	if err != nil {
		return nil, err
	}
	var n *tree.Node
	if remote.Known == tree.Exists && remote.Kind == tree.File {
		n = v.tree.Discover(p.Dir, p.Name, tree.File, remote.Meta, v.Now())
	} else {
		n = v.tree.Create(p.Dir, p.Name, tree.File, LocalMeta(*p.Local), adoptedDest(remote), v.Now())
	}
	n.Meta.Mode = p.Local.Mode
	n.Content, n.Copy = tree.Changed, &tree.Copy{Stamp: stampOf(*p.Local), Added: true}
	v.tree.Note(n, v.Now())
	v.tree.Touch(n)
	return n, nil
}

// adoptedDest is what is known about a name that a file of the user's has taken: another kind of thing on the remote
// is not to be replaced unseen.
func adoptedDest(remote Answer) tree.Answer {
	if remote.Known == tree.Absent {
		return tree.Absent
	}
	return tree.Unknown
}

// Shadow is what the remote has under a name of the user's. That it gives no answer is an answer here: Unknown.
func (v *View) Shadow(p Place) (Answer, error) {
	if _, hidden := p.Dir.Hidden(p.Name); hidden || !p.Dir.HasBase() {
		return Answer{Known: tree.Absent, Err: fs.ErrNotExist}, nil
	}
	return v.Ask(tree.Join(p.Dir.RemotePath(), p.Name))
}

// Unlink takes what is at a place out of the view and returns the action that takes its local bytes away, if it has
// any. What the remote has there is hidden. Of a directory all that is in it must have been unlinked; shadow is what
// the remote has under a name of the user's.
func (v *View) Unlink(p Place, shadow Answer) []tree.Action {
	switch {
	case p.Local != nil:
		if shadow.Known != tree.Absent {
			v.tree.Hide(p.Dir, p.Name, kindOr(shadow.Kind, p.Kind()), shadow.Known, shadow.Meta, v.Now())
		}
		v.discards++
		return []tree.Action{toTrash(p.Path(), fmt.Sprintf("user-%d", v.discards))}
	case p.Node == nil:
		n := v.tree.Hide(p.Dir, p.Name, p.Answer.Kind, tree.Exists, p.Answer.Meta, v.Now())
		n.Target = p.Answer.Target
		return nil
	}
	n := p.Node
	if n.Content == tree.Owned {
		v.used -= n.Copy.Stamp.Size
	}
	here := n.Local()
	if n.Kind == tree.Dir {
		here = v.Here(n, n.Path())
	}
	if s := v.open[n.ID]; s != nil && n.Content == tree.Owned {
		meta := n.Shown()
		s.removed = &meta
	}
	var actions []tree.Action
	if here {
		actions = append(actions, toTrash(n.Path(), fmt.Sprintf("%016x", uint64(n.ID))))
	}
	v.tree.Unlink(n, v.Now())
	return actions
}

func kindOr(kind, other tree.Kind) tree.Kind {
	if kind == 0 {
		return other
	}
	return kind
}

func toTrash(name, id string) tree.Action {
	return tree.Action{Kind: tree.RenameLocal, From: name, To: localdir.TrashDir + "/" + id}
}

// EmptyTrash deletes what actions have brought to the trash. Nothing is deleted under a name that users can reach;
// what cannot be deleted now is at the next start.
func (m *FS) EmptyTrash(actions []tree.Action) {
	for _, a := range actions {
		if dir, _ := tree.Split(a.To); dir == localdir.TrashDir {
			if err := m.local.RemoveAll(a.To); err != nil {
				m.opt.Logger.Warn("trash not deleted", "name", a.To, "err", err)
			}
		}
	}
}

// SetTimes sets the times of a file. Those of changed bytes are the local file's; those of a copy are kept in the
// queue.
func (v *View) SetTimes(n *tree.Node, atime, mtime time.Time) error {
	n.Stirred = 0
	if !n.Dirty() {
		a := &v.tree.Note(n, v.Now()).Attr
		a.Set |= tree.AttrTimes
		a.ATime, a.MTime = atime.UnixNano(), mtime.UnixNano()
		return nil
	}
	// Should the process die now: neither time is to pass for that of an earlier state.
	v.tree.Edit(n)
	n.Copy.Stamp.MTime = min(n.Copy.Stamp.MTime, mtime.UnixNano())
	v.tree.Touch(n)
	if err := v.Save(); err != nil {
		return err
	}
	name := n.Path()
	if err := v.local.Chtimes(name, atime, mtime); err != nil {
		return err
	}
	info, err := v.local.Lstat(name)
	if err != nil {
		return err
	}
	v.tree.Edit(n)
	n.Copy.Stamp = stampOf(info)
	return nil
}

// Here says whether a node that was at a path has something there in the local directory.
func (v *View) Here(n *tree.Node, path string) bool {
	if n.Kind != tree.Dir {
		return n.Local()
	}
	_, err := v.local.Lstat(path)
	return !missing(err) // if that can't be told, what is done about it will
}

// Movable is the node of a place that is about to be moved. What the user put there becomes a change, a directory
// with all that is in it; shadow is what the remote has under its name.
func (v *View) Movable(p Place, shadow Answer) *tree.Node {
	if p.Local == nil {
		return v.Materialize(p)
	}
	isDir := p.Local.IsDir()
	switch {
	case isDir && shadow.Known == tree.Exists && shadow.Kind == tree.Dir:
		return v.tree.Discover(p.Dir, p.Name, tree.Dir, shadow.Meta, v.Now())
	case shadow.Known != tree.Absent:
		v.tree.Hide(p.Dir, p.Name, kindOr(shadow.Kind, p.Kind()), shadow.Known, shadow.Meta, v.Now())
	}
	return v.adoptTree(p.Dir, *p.Local)
}

// adoptTree makes a node of what the user put somewhere, and of all that is in it.
func (v *View) adoptTree(dir *tree.Node, info localdir.Info) *tree.Node {
	if !info.IsDir() {
		n := v.tree.Create(dir, info.Name, tree.File, LocalMeta(info), tree.Absent, v.Now())
		n.Content, n.Copy = tree.Changed, &tree.Copy{Stamp: stampOf(info), Added: true}
		v.tree.Touch(n)
		return n
	}
	n := v.tree.Create(dir, info.Name, tree.Dir, LocalMeta(info), tree.Absent, v.Now())
	infos, err := v.local.ReadDir(n.Path())
	if err != nil {
		v.opt.Logger.Warn("local directory not read", "name", n.Path(), "err", err)
	}
	for _, i := range infos {
		if i.IsDir() || i.IsRegular() {
			v.adoptTree(n, i)
		}
	}
	return n
}

// Absented takes note that the remote was found not to have a directory that was taken to be there.
func (v *View) Absented(n *tree.Node) {
	if n.HasBase() && n.Known == tree.Unknown && !n.IsRoot() {
		if l, ok := v.known.lists[n.RemotePath()]; ok && errors.Is(l.err, fs.ErrNotExist) {
			v.tree.Erased(n, v.Now())
		}
	}
}

// Queue makes the local file that stands under a node's name its content, to be pushed.
func (v *View) Queue(n *tree.Node, info localdir.Info) error {
	if n.Kind != tree.File {
		return fs.ErrInvalid
	}
	if n.Content == tree.Busy {
		return ErrBusy
	}
	v.tree.Edit(n)
	c := &tree.Copy{Stamp: stampOf(info), Added: true}
	if n.Content == tree.Owned {
		v.used -= n.Copy.Stamp.Size
		if n.Copy.Stamp == c.Stamp && !n.Copy.Stale {
			c.Hash, c.Fetched = n.Copy.Hash, n.Copy.Fetched // what it goes back to when it is discarded
		}
	}
	n.Content, n.Copy = tree.Changed, c
	v.tree.Note(n, v.Now())
	v.tree.Touch(n)
	return nil
}

// LocalSize is the size of a node's local bytes; 0 if they are gone.
func (v *View) LocalSize(n *tree.Node) int64 {
	info, err := v.local.Lstat(n.Path())
	if err != nil {
		return 0
	}
	return info.Size()
}

// Sent makes the changed bytes of a node a copy of the remote's, of the version in its Meta, if they are still those
// that were sent.
func (v *View) Sent(n *tree.Node, stamp tree.Stamp, hash tree.Hash) {
	info, err := v.local.Lstat(n.Path())
	if err != nil || stampOf(info) != stamp {
		return
	}
	v.tree.Edit(n)
	n.Content = tree.Owned
	n.Copy = &tree.Copy{Stamp: stamp, Hash: hash, Fetched: v.Now(), Used: v.Now(), Unsure: unsure(n.Meta.MTime, v.Now())}
	v.used += stamp.Size
	if v.opt.MaxBytes > 0 {
		v.evictUntil(v.opt.MaxBytes)
	}
}

// StampOf is the stamp of a local file.
func StampOf(info localdir.Info) tree.Stamp { return stampOf(info) }

// Disown takes a change back that Add made of a file of the remote's. An untouched copy is one again; anything else
// stays where it is as the user's, and the node is known no more.
func (v *View) Disown(n *tree.Node) {
	v.tree.Edit(n)
	if n.Copy.Hash != (tree.Hash{}) {
		c := *n.Copy
		c.Added = false
		n.Content, n.Copy = tree.Owned, &c
		v.used += c.Stamp.Size
		v.tree.Touch(n)
		return
	}
	n.Content, n.Copy = tree.Remote, nil
	v.tree.Touch(n)
	if !n.Moved() {
		v.tree.Forget(n)
	}
}

// Disclaim forgets which version of the remote a node was a change of, and one that it was to replace: what the
// remote has under its name is another file.
func (v *View) Disclaim(n, replaces *tree.Node) {
	v.RemoteChanged()
	if n.HasBase() {
		v.tree.Erased(n, v.Now())
	}
	if replaces != nil && v.tree.Node(replaces.ID) == replaces {
		v.tree.Erased(replaces, v.Now())
	}
}
