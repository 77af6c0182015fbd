package mirror

import (
	"io/fs"
	"os"

	"github.com/sftpsyncer/go-syncfs/internal/handle"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Umasked removes the bits from a mode that the umask removes from new files.
func (v *View) Umasked(mode fs.FileMode) fs.FileMode { return mode.Perm() &^ v.local.Umask() }

// NewFile makes an empty file at a place that is free, and opens it.
func (v *View) NewFile(p Place, name string, flag int, perm fs.FileMode) (*File, error) {
	if err := v.occupy(p.Path()); err != nil {
		return nil, err
	}
	meta := tree.Meta{Mode: v.Umasked(perm), MTime: v.Now()}
	n := v.tree.Create(p.Dir, p.Name, tree.File, meta, p.Answer.Known, v.Now())
	v.tree.Begin(n)
	if err := v.Save(); err != nil {
		return nil, err
	}
	f, err := v.emptied(n, name, flag)
	if err != nil {
		if info, statErr := v.local.Lstat(n.Path()); statErr == nil && info.Size() == 0 {
			_ = v.local.Remove(n.Path()) // made, but not opened
		}
		v.tree.Unlink(n, v.Now())
	}
	return f, err
}

// Emptied opens a node for O_TRUNC, without downloading it. Whole bytes, of a copy or a change, stay until File.Empty.
// The caller calls Empty without the lock, because it records, with an fsync, that the file is being written.
func (v *View) Emptied(n *tree.Node, name string, flag int) (*File, error) {
	path := n.Path()
	if n.Content() == tree.Owned || n.Content() == tree.Changed || n.Content() == tree.Edited {
		local, err := v.local.OpenFile(path, os.O_RDWR, 0)
		if err == nil {
			v.copies.HandOver(n, path)
			o := &opened{m: v.m, local: local, node: n, shared: v.share(n)}
			return handle.NewFull[handleLock](o, name, flag), nil
		}
		if !localdir.Missing(err) {
			return nil, err
		}
	}
	if err := v.occupy(path); err != nil {
		return nil, err
	}
	interrupted := n.Dirty() && n.Content() != tree.Changed
	was, back := n.Copy(), v.tree.Reverter(n)
	v.toBusy(n)
	if err := v.Save(); err != nil {
		return nil, err
	}
	f, err := v.emptied(n, name, flag)
	switch {
	case err == nil:
	case interrupted || v.store.Vacant(path, &was):
		back()
	default: // the open failed, but has made the file
		v.tree.Interrupt(n)
	}
	return f, err
}

// emptied opens the local file of a node and truncates it.
func (v *View) emptied(n *tree.Node, name string, flag int) (*File, error) {
	path := n.Path()
	if err := v.store.MakeParent(path); err != nil {
		return nil, err
	}
	// The library has to read and write what the program may not.
	local, err := v.local.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, n.Meta.Mode.Perm()|0o600)
	if err != nil {
		return nil, err
	}
	v.copies.HandOver(n, path)
	o := &opened{m: v.m, local: local, node: n, shared: v.share(n), wrote: true}
	o.shared.dirty++
	o.shared.busy.Store(true)
	return handle.New[handleLock](o, name, flag), nil
}
