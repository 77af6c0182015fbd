package mirror

import (
	"io/fs"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Stat describes what is under a name. It follows a symbolic link in the last element if follow is set.
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

// Readlink returns the target of a symbolic link.
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

// Meta returns the metadata of what is at a place. A changed file whose local bytes were deleted by hand is not in the view.
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

// LocalMeta returns the metadata of a local file.
func LocalMeta(info localdir.Info) tree.Meta {
	return tree.Meta{Mode: info.Mode, Size: info.Size(), MTime: info.Stamp.MTime}
}

// shown returns the metadata of a node without local changes of its content. The size is that of the copy, because the
// remote may state none.
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

// Lost reports whether the changed bytes of a file were deleted by hand while nobody was writing it. Such a file is not in
// the view, but still queued.
func (v *View) Lost(n *tree.Node) bool {
	if !n.Dirty() || n.Content() == tree.Busy {
		return false
	}
	_, err := v.local.Lstat(n.Path())
	return localdir.Missing(err)
}

// dirtyMeta returns the metadata of a file with local changes: size and time are those of the local file.
func dirtyMeta(n *tree.Node, local localdir.Info) tree.Meta {
	m := n.Shown()
	m.Size, m.MTime = local.Size(), local.Stamp.MTime
	return m
}

// ModTime returns the modification time of a node as the program sees it.
func (v *View) ModTime(n *tree.Node) time.Time {
	if n.Ours() {
		if info, err := v.local.Lstat(n.Path()); err == nil {
			return info.ModTime()
		}
	}
	return time.Unix(0, n.Shown().MTime)
}
