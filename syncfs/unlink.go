package syncfs

import (
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// unlink removes what is at a place from the view, and hides what the remote has there. It returns the action that
// removes the local bytes, if there are any. The entries of a directory must have been unlinked before. shadow is what
// the remote has under the name of a user's entry.
func unlink(v *mirror.View, p mirror.Place, shadow remote.Answer) []action {
	switch {
	case p.Local != nil:
		if shadow.Known != tree.Absent {
			hide(v, p, shadow)
		}
		return []action{{Kind: tree.RenameLocal, From: p.Path(), To: v.TrashName()}}
	case p.Node == nil:
		n := v.Tree().Hide(p.Dir, p.Name, p.Answer.Kind, tree.Exists, p.Answer.Meta, v.Now())
		n.SetTarget(p.Answer.Target)
		return nil
	}
	n := p.Node
	v.ShowRemoved(n)
	var actions []action
	if here(v, n, n.Path()) {
		actions = []action{{Kind: tree.RenameLocal, From: n.Path(), To: v.TrashName()}}
	}
	v.Tree().Unlink(n, v.Now())
	return actions
}

func kindOr(kind, other tree.Kind) tree.Kind {
	if kind == 0 {
		return other
	}
	return kind
}

// emptyTrash deletes what actions have moved to the trash. Users can't reach the names there. What can't be deleted now
// is deleted at the next start. After Close the names may belong to another Fs.
func (s *Fs) emptyTrash(actions []action) {
	end, err := s.m.Begin()
	if err != nil {
		return
	}
	defer end()
	for _, a := range actions {
		if dir, _ := tree.Split(a.To); dir == localdir.TrashDir {
			if err := s.m.Local().RemoveAll(a.To); err != nil {
				s.logger.Warn("trash not deleted", "name", a.To, "err", err)
			}
		}
	}
}

// here reports whether a node that was at a path has something there in the local directory.
func here(v *mirror.View, n *tree.Node, path string) bool {
	if n.Kind != tree.Dir {
		return n.Local()
	}
	_, err := v.Local().Lstat(path)
	return !localdir.Missing(err) // if that is unknown, the next action finds out
}
