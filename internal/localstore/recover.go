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
		return // it was made: this is something else
	}
	if a.Ino == 0 && a.Kind == tree.RenameLocal && tree.Within(a.To, localdir.TrashDir) && s.bothThere(a) {
		return // the same, where files have no numbers
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

// unown takes note that the copies of a node, and of those below it, are not in their place. What is there is the user's.
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

// TrashName is a name for what is to be deleted once that is recorded. None is used twice.
func (s *Store) TrashName() string { return fmt.Sprintf("%s/%016x", localdir.TrashDir, rand.Uint64()) }

// DiscardedName is a name for what is taken out of the program's sight and not deleted. None is used twice.
func (s *Store) DiscardedName() string {
	return fmt.Sprintf("%s/%s-%016x", localdir.DiscardedDir, s.now().UTC().Format("20060102T150405"), rand.Uint64())
}

// keep saves from the emptying of the trash what was to go back from there. It says whether that is where it was.
func (s *Store) keep(name string) bool {
	if !tree.Within(name, localdir.TrashDir) {
		return false
	}
	if err := s.local.Rename(name, s.DiscardedName()); err != nil {
		s.logger.Error("discarded file not kept", "name", name, "err", err)
	}
	return true
}

// restoreNode decides about a node whose bytes were on their way when the process died.
func (s *Store) restoreNode(n *tree.Node) {
	switch {
	case n.Content() == tree.Busy:
		s.restoreBusy(n)
	case n.Content() == tree.Changed && !n.Copy().Added:
		s.restoreChanged(n)
	case n.Content() == tree.Owned && n.Copy().Installing != "":
		s.restoreInstalling(n)
	}
}

// restoreBusy marks a file that was being written. One without bytes was recorded, and not made yet: it is what it was
// before.
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

// restoreChanged looks whether changed bytes, which nobody has synced, were lost with the power while their record was
// not: what is left of them is not to be pushed as if it were whole.
func (s *Store) restoreChanged(n *tree.Node) {
	info, err := s.local.Lstat(n.Path())
	switch {
	case localdir.Missing(err): // it was acknowledged: that it is gone is for a push to report, until it is discarded
		s.logger.Warn("changed file is missing", "name", n.Path())
	case err == nil && torn(tree.Stamp(info.Stamp), n.Copy().Stamp, n.Diff):
		s.logger.Warn("changed file is not as it was recorded", "name", n.Path())
		s.tree.Interrupt(n)
	}
}

// torn says whether a file looks like an earlier state of what was recorded. One with a later time was changed since.
func torn(now, recorded tree.Stamp, d *tree.Diff) bool {
	changedSince := now.MTime > written(recorded, d) && now.MTime != recorded.MTime
	return !changedSince && !asRecorded(now, recorded, d)
}

// asRecorded says whether a file is what was recorded. Its time may have lost its fraction on the way to another disk.
func asRecorded(now, recorded tree.Stamp, d *tree.Diff) bool {
	was := time.Unix(0, recorded.MTime)
	same := now.MTime == recorded.MTime || now.MTime == written(recorded, d)
	for _, fraction := range []time.Duration{time.Microsecond, time.Millisecond, time.Second, 2 * time.Second} {
		same = same || now.MTime == was.Truncate(fraction).UnixNano()
	}
	return same && now.Size == recorded.Size
}

// written is when what was recorded was written, whatever Chtimes has set since.
func written(recorded tree.Stamp, d *tree.Diff) int64 {
	if d != nil && d.Written != 0 {
		return d.Written
	}
	return recorded.MTime
}

// AsQueued says whether what lies in the local directory may be pushed as a file that is Changed: it is what the program
// has written, or Add was the last to queue it.
func AsQueued(n *tree.Node, info localdir.Info) bool {
	return n.Copy().AsIs || asRecorded(tree.Stamp(info.Stamp), n.Copy().Stamp, n.Diff)
}

// restoreInstalling finishes the rename of a fetched copy into its place, or finds that it is done.
func (s *Store) restoreInstalling(n *tree.Node) {
	temp := n.Copy().Installing
	s.found(temp)
	info, err := s.local.Lstat(temp)
	if err == nil && isOwn(temp) && info.Size() == n.Copy().Stamp.Size && s.Vacant(n.Path(), n.Copy().Prev) {
		if err := s.MakeParent(n.Path()); err == nil {
			_ = s.local.Rename(temp, n.Path())
		}
	}
	info, err = s.local.Lstat(n.Path())
	switch prev := n.Copy().Prev; {
	case localdir.Missing(err):
		s.tree.Lost(n)
	case err == nil && prev != nil && tree.Stamp(info.Stamp) == prev.Stamp:
		s.tree.BackOut(n)
	default:
		s.tree.Settle(n)
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

// Vacant says whether a copy may be put under a name: nothing is there, or the copy that it replaces, untouched.
func (s *Store) Vacant(name string, prev *tree.Copy) bool {
	info, err := s.local.Lstat(name)
	return err != nil && localdir.Missing(err) || err == nil && prev != nil && tree.Stamp(info.Stamp) == prev.Stamp
}
