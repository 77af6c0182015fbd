package mirror

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Unlink takes what is at a place out of the view and returns the action that takes its local bytes away, if it has
// any. What the remote has there is hidden. Of a directory all that is in it must have been unlinked; shadow is what
// the remote has under a name of the user's.
func (v *View) Unlink(p Place, shadow remote.Answer) []tree.Action {
	switch {
	case p.Local != nil:
		if shadow.Known != tree.Absent {
			v.hide(p, shadow)
		}
		v.discards++
		return []tree.Action{toTrash(p.Path(), fmt.Sprintf("user-%d", v.discards))}
	case p.Node == nil:
		n := v.tree.Hide(p.Dir, p.Name, p.Answer.Kind, tree.Exists, p.Answer.Meta, v.Now())
		n.SetTarget(p.Answer.Target)
		return nil
	}
	n := p.Node
	here := n.Local()
	if n.Kind == tree.Dir {
		here = v.Here(n, n.Path())
	}
	v.showRemoved(n)
	var actions []tree.Action
	if here {
		actions = append(actions, toTrash(n.Path(), fmt.Sprintf("%016x", uint64(n.ID))))
	}
	v.tree.Unlink(n, v.Now())
	return actions
}

// showRemoved has the open handles of a node that is taken out of the view show the size and time that it had.
func (v *View) showRemoved(n *tree.Node) {
	if s := v.open[n.ID]; s != nil && !n.Ours() {
		s.unwritten = true
	}
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

// Here says whether a node that was at a path has something there in the local directory.
func (v *View) Here(n *tree.Node, path string) bool {
	if n.Kind != tree.Dir {
		return n.Local()
	}
	_, err := v.local.Lstat(path)
	return !localdir.Missing(err) // if that can't be told, what is done about it will
}

// Listed takes note of whether the remote was found to have a directory that was taken to be there.
func (v *View) Listed(n *tree.Node) {
	l, ok := v.known.lists[n.RemotePath()]
	switch {
	case !ok || !n.HasBase() || n.Known == tree.Exists || n.IsRoot():
	case errors.Is(l.Err, fs.ErrNotExist):
		v.tree.Erased(n, v.Now())
	case l.Err == nil:
		v.tree.Edit(n).Known = tree.Exists
		v.tree.Touch(n)
	}
}
