package localstore

import (
	"fmt"
	"math/rand/v2"
	"path"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// redo makes an action that may have been made already.
func (s *Store) redo(a tree.Action) {
	if info, err := s.local.Lstat(a.From); err == nil && a.Ino != 0 && info.Stamp.Ino != a.Ino {
		return // it was made: this is another file
	}
	if a.Ino == 0 && a.Kind == tree.RenameLocal && tree.Within(a.To, localdir.TrashDir) && s.bothThere(a) {
		return // likewise, on file systems without inode numbers
	}
	if err := s.actOne(a); err != nil {
		s.logger.Warn("local change not repeated", "from", a.From, "to", a.To, "err", err)
		if s.keep(a.From) {
			if n := s.tree.Lookup(a.To); n != nil {
				s.unown(n)
			}
		}
	}
}

// unown records that the copies of a node, and of all nodes below it, are not in their places. Files there are the
// user's.
func (s *Store) unown(n *tree.Node) {
	var kids []*tree.Node
	n.Kids(func(k *tree.Node) { kids = append(kids, k) })
	for _, k := range kids {
		s.unown(k)
	}
	if n.Content() == tree.Owned {
		s.tree.Drop(n)
	}
	if !n.Differs() && !n.HasKids() {
		s.tree.Forget(n)
	}
}

// TrashName returns a new, unique name for something that is deleted when its removal is recorded.
func (s *Store) TrashName() string { return fmt.Sprintf("%s/%016x", localdir.TrashDir, rand.Uint64()) }

// DiscardedName returns a new, unique name for something that is hidden from the program but not deleted.
func (s *Store) DiscardedName() string {
	return fmt.Sprintf("%s/%s-%016x", localdir.DiscardedDir, s.now().UTC().Format("20060102T150405"), rand.Uint64())
}

// keep saves a file that was to go back from the trash, before the trash is emptied. It reports whether the name is in
// the trash.
func (s *Store) keep(name string) bool {
	if !tree.Within(name, localdir.TrashDir) {
		return false
	}
	if err := s.local.Rename(name, s.DiscardedName()); err != nil {
		s.logger.Error("discarded file not kept", "name", name, "err", err)
	}
	return true
}

// restoreNode repairs a node whose bytes were being changed when the process died.
func (s *Store) restoreNode(n *tree.Node) {
	switch {
	case n.Content() == tree.Busy:
		s.restoreBusy(n)
	case n.Content() == tree.Changed && !n.Copy().Added:
		s.restoreChanged(n)
	case n.Content() == tree.Owned && n.Copy().Installing() != "":
		s.restoreInstalling(n)
	}
}

// restoreBusy marks a file that was being written as interrupted. If the file is missing, it was recorded but not
// created yet: then the node goes back to the state before.
func (s *Store) restoreBusy(n *tree.Node) {
	s.tree.Interrupt(n)
	if _, err := s.local.Lstat(n.Path()); localdir.Missing(err) {
		if !n.HasBase() {
			s.tree.Unlink(n, s.now().UnixNano())
			return
		}
		s.tree.Drop(n)
	}
}

// restoreChanged checks whether a power failure has destroyed changed bytes, which are not synced, but not their
// record. The rest of them must not be pushed as if it were complete.
func (s *Store) restoreChanged(n *tree.Node) {
	info, err := s.local.Lstat(n.Path())
	switch {
	case localdir.Missing(err): // it was acknowledged, so a Push reports it as missing until it is discarded
		s.logger.Warn("changed file is missing", "name", n.Path())
	case err == nil && torn(tree.Stamp(info.Stamp), n.Copy().Stamp, n.Diff):
		s.logger.Warn("changed file is not as it was recorded", "name", n.Path())
		s.tree.Interrupt(n)
	}
}

// torn reports whether a file looks like an earlier state of what was recorded. If its mtime is later, it was changed
// since.
func torn(now, recorded tree.Stamp, d *tree.Diff) bool {
	changedSince := now.MTime > written(recorded, d) && now.MTime != recorded.MTime
	return !changedSince && !asRecorded(now, recorded, d)
}

// asRecorded reports whether a file is as it was recorded. A copy of the directory to another disk may have cut off the
// fraction of the mtime.
func asRecorded(now, recorded tree.Stamp, d *tree.Diff) bool {
	was := time.Unix(0, recorded.MTime)
	same := now.MTime == recorded.MTime || now.MTime == written(recorded, d)
	for _, fraction := range []time.Duration{time.Microsecond, time.Millisecond, time.Second, 2 * time.Second} {
		same = same || now.MTime == was.Truncate(fraction).UnixNano()
	}
	return same && now.Size == recorded.Size
}

// written returns when the recorded bytes were written, even if Chtimes has set another time since.
func written(recorded tree.Stamp, d *tree.Diff) int64 {
	if d != nil && d.Written != 0 {
		return d.Written
	}
	return recorded.MTime
}

// AsQueued reports whether the local file of a Changed node may be pushed: the program has written these bytes, or Add
// was the last to queue the file.
func AsQueued(n *tree.Node, info localdir.Info) bool {
	return n.Copy().AsIs || asRecorded(tree.Stamp(info.Stamp), n.Copy().Stamp, n.Diff)
}

// restoreInstalling finishes the rename of a fetched copy into its place, or finds that it is done.
func (s *Store) restoreInstalling(n *tree.Node) {
	temp := n.Copy().Installing()
	s.found(temp)
	info, err := s.local.Lstat(temp)
	if err == nil && isOwn(temp) && info.Size() == n.Copy().Stamp.Size && s.Vacant(n.Path(), n.Copy().Prev()) {
		if err := s.MakeParent(n.Path()); err == nil {
			_ = s.local.Rename(temp, n.Path())
		}
	}
	info, err = s.local.Lstat(n.Path())
	switch prev := n.Copy().Prev(); {
	case localdir.Missing(err):
		s.tree.Lost(n)
	case err == nil && prev != nil && tree.Stamp(info.Stamp) == prev.Stamp:
		s.tree.BackOut(n)
	default:
		s.tree.Settle(n)
		if now, was := tree.Stamp(info.Stamp), n.Copy().Stamp; now.Ino == was.Ino && now.MTime == was.MTime {
			was.CTime = now.CTime // the rename changed it
			s.tree.Restamp(n, was)
		}
	}
}

func (s *Store) empty(dir string) error {
	infos, err := s.local.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, info := range infos {
		if err := s.local.RemoveAll(path.Join(dir, info.Name)); err != nil {
			return err
		}
	}
	return nil
}

// Vacant reports whether a copy may be renamed to a name: nothing is there, or the untouched copy that it replaces.
func (s *Store) Vacant(name string, prev *tree.Copy) bool {
	info, err := s.local.Lstat(name)
	return err != nil && localdir.Missing(err) || err == nil && prev != nil && tree.Stamp(info.Stamp) == prev.Stamp
}
