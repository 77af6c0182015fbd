package mirror

import (
	"io/fs"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Stat describes what is under a name; of a link at the end what it leads to, if follow is set.
func (m *FS) Stat(name string, follow bool) (fs.FileInfo, error) {
	clean, err := m.Clean(name)
	if err != nil {
		return nil, err
	}
	var meta tree.Meta
	err = m.Do(func(v *View) error {
		p, err := v.Find(clean, follow)
		if err == nil {
			meta, err = v.Meta(p)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return tree.NewInfo(clean, meta), nil
}

// Readlink is the target of a link.
func (m *FS) Readlink(name string) (target string, err error) {
	clean, err := m.Clean(name)
	if err != nil {
		return "", err
	}
	err = m.Do(func(v *View) error {
		p, err := v.Find(clean, false)
		switch {
		case err != nil:
			return err
		case p.Err() != nil:
			return p.Err()
		case p.Local != nil || p.Kind() != tree.Link:
			return fs.ErrInvalid
		}
		target = p.target()
		return nil
	})
	return target, err
}

// Meta is the metadata of what is at a place. Bytes that are no copy are on the local disk, and only there; what was deleted
// there by hand is not in the view.
func (v *View) Meta(p Place) (tree.Meta, error) {
	switch n := p.Node; {
	case p.Err() != nil:
		return tree.Meta{}, p.Err()
	case p.Local != nil:
		return LocalMeta(*p.Local), nil
	case n == nil:
		return p.Answer.Meta, nil
	case !n.Ours():
		return v.shown(n), nil
	}
	local, err := v.local.Lstat(p.Node.Path())
	return dirtyMeta(p.Node, local), err
}

// LocalMeta describes a local file.
func LocalMeta(info localdir.Info) tree.Meta {
	return tree.Meta{Mode: info.Mode, Size: info.Size(), MTime: info.Stamp.MTime}
}

// shown is the metadata of a node whose bytes, if it has any, are the remote's. The size is that of the copy: the
// remote's may be 0 for want of a better one.
func (v *View) shown(n *tree.Node) tree.Meta {
	m := n.Shown()
	if n.Content() == tree.Owned && !n.Copy().Stale {
		m.Size = n.Copy().Stamp.Size
	}
	if n.IsRoot() && m.Mode == 0 {
		m.Mode = fs.ModeDir | 0o755
	}
	return m
}

// Lost says whether the changed bytes of a file, which nobody is writing, were deleted by hand. Then it is not in the
// view, but still queued.
func (v *View) Lost(n *tree.Node) bool {
	if !n.Dirty() || n.Content() == tree.Busy {
		return false
	}
	_, err := v.local.Lstat(n.Path())
	return localdir.Missing(err)
}

// dirtyMeta is the metadata of a file whose bytes here are no copy: its size and time are the local file's.
func dirtyMeta(n *tree.Node, local localdir.Info) tree.Meta {
	m := n.Shown()
	m.Size, m.MTime = local.Size(), local.Stamp.MTime
	return m
}

// ModTime is the modification time of a node as the program sees it.
func (v *View) ModTime(n *tree.Node) time.Time {
	if n.Ours() {
		if info, err := v.local.Lstat(n.Path()); err == nil {
			return info.ModTime()
		}
	}
	return time.Unix(0, n.Shown().MTime)
}
