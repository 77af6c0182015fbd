package mirror

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/statelog"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

const logName = localdir.StateDir + "/log"

// restore reads the log and brings to an end what a process that died had begun. d is recorded about the directory, adopted
// says that it was another remote's.
func (m *FS) restore(d directory, adopted bool) error {
	replay := tree.Replay()
	log, damage, err := statelog.Open(m.local, logName, replay.Apply)
	if err != nil {
		return err
	}
	m.log = log
	t, undone, lost := replay.Finish()
	m.tree, m.appended = t, t.Seq()
	switch {
	case damage != nil:
		m.damage = fmt.Errorf("the record of local changes was damaged; %d records before the damage were kept, "+
			"what followed is set aside in %s: %w", damage.Records, damage.File, damage.Err)
	case lost > 0:
		m.damage = fmt.Errorf("the record of local changes is inconsistent; %d entries were left out", lost)
	case m.lostRecords():
		m.damage = errors.New("the record of local changes, or the end of it, is missing, although the local directory was used before")
	}
	d.Lost = m.damage != nil || m.directory != nil && m.directory.Lost
	if m.damage != nil {
		m.opt.Logger.Error("state damaged", "err", m.damage)
	}
	m.renamed.add(replay.Renamed()...)
	if len(undone) > 0 { // they are not to last longer than their record
		if err := m.syncLog(); err != nil {
			return err
		}
	}
	for _, a := range undone {
		m.redo(a)
	}
	if err := m.empty(localdir.TrashDir); err != nil {
		return err
	}
	var each []*tree.Node
	t.Nodes(func(n *tree.Node) { each = append(each, n) })
	for _, n := range each {
		m.restoreNode(n)
	}
	if err := m.empty(localdir.TmpDir); err != nil {
		return err
	}
	if err := m.ledger.Restore(m.started); err != nil {
		return err
	}
	if damage != nil {
		if err := m.rewriting()(); err != nil {
			return err
		}
	}
	m.live = max(m.live, m.log.Size())
	if adopted {
		m.view().Doubt(".")
	}
	if err := m.save(); err != nil {
		return err
	}
	if d.Seq = m.appended; m.directory == nil || d != *m.directory {
		if err := m.syncLog(); err != nil {
			return err
		}
		if err := m.noteDirectory(d); err != nil {
			return err
		}
	}
	if m.opt.MaxBytes > 0 {
		m.evictUntil(m.opt.MaxBytes) // it may have been more the last time
	}
	return nil
}

// redo makes an action that may have been made already.
func (m *FS) redo(a tree.Action) {
	if info, err := m.local.Lstat(a.From); err == nil && a.Ino != 0 && info.Stamp.Ino != a.Ino {
		return // it was made: this is something else
	}
	if err := m.actOne(a); err != nil {
		m.opt.Logger.Warn("local change not repeated", "from", a.From, "to", a.To, "err", err)
		if m.keep(a.From) {
			if n := m.Lookup(a.To); n != nil {
				m.unown(n)
			}
		}
	}
}

// unown takes note that the copies of a node, and of those below it, are not in their place. What is there is the user's.
func (m *FS) unown(n *tree.Node) {
	var kids []*tree.Node
	n.Kids(func(k *tree.Node) { kids = append(kids, k) })
	for _, k := range kids {
		m.unown(k)
	}
	if n.Content() == tree.Owned {
		m.tree.Drop(n)
	}
	if !n.Differs() && !n.HasKids() {
		m.tree.Forget(n)
	}
}

// DiscardedName is a name for what is taken out of the program's sight and not deleted. None is used twice.
func (m *state) DiscardedName() string {
	return fmt.Sprintf("%s/%s-%016x", localdir.DiscardedDir, m.opt.Now().UTC().Format("20060102T150405"), rand.Uint64())
}

// keep saves from the emptying of the trash what was to go back from there. It says whether that is where it was.
func (m *FS) keep(name string) bool {
	if !tree.Within(name, localdir.TrashDir) {
		return false
	}
	if err := m.local.Rename(name, m.DiscardedName()); err != nil {
		m.opt.Logger.Error("discarded file not kept", "name", name, "err", err)
	}
	return true
}

// restoreNode decides about a node whose bytes were on their way when the process died.
func (m *FS) restoreNode(n *tree.Node) {
	switch {
	case n.Content() == tree.Busy:
		m.restoreBusy(n)
	case n.Content() == tree.Changed && !n.Copy().Added:
		m.restoreChanged(n)
	case n.Content() == tree.Owned && n.Copy().Landing != "":
		m.restoreLanding(n)
	}
}

// restoreBusy marks a file that was being written. One without bytes was recorded, and not made yet: it is what it was
// before.
func (m *FS) restoreBusy(n *tree.Node) {
	m.tree.Interrupt(n)
	if _, err := m.local.Lstat(n.Path()); missing(err) {
		if !n.HasBase() {
			m.tree.Unlink(n, m.Now())
			return
		}
		m.tree.Drop(n)
	}
}

// restoreChanged looks whether changed bytes, which nobody has synced, were lost with the power while their record was
// not: what is left of them is not to be pushed as if it were whole.
func (m *FS) restoreChanged(n *tree.Node) {
	info, err := m.local.Lstat(n.Path())
	switch {
	case missing(err): // it was acknowledged: that it is gone is for a push to report, until it is discarded
		m.opt.Logger.Warn("changed file is missing", "name", n.Path())
	case err == nil && torn(stampOf(info), n.Copy().Stamp, n.Diff):
		m.opt.Logger.Warn("changed file is not as it was recorded", "name", n.Path())
		m.tree.Interrupt(n)
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
	for _, fraction := range []time.Duration{time.Microsecond, time.Millisecond, time.Second, coarse} {
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
	return n.Copy().AsIs || asRecorded(stampOf(info), n.Copy().Stamp, n.Diff)
}

// restoreLanding finishes the rename of a fetched copy into its place, or finds that it is done.
func (m *FS) restoreLanding(n *tree.Node) {
	temp := n.Copy().Landing
	m.started(temp)
	info, err := m.local.Lstat(temp)
	if err == nil && reserved(temp) && info.Size() == n.Copy().Stamp.Size && m.vacant(n.Path(), n.Copy().Prev) {
		if err := m.makeParent(n.Path()); err == nil {
			_ = m.local.Rename(temp, n.Path())
		}
	}
	info, err = m.local.Lstat(n.Path())
	switch prev := n.Copy().Prev; {
	case missing(err):
		m.tree.Lost(n)
	case err == nil && prev != nil && stampOf(info) == prev.Stamp:
		m.tree.BackOut(n)
	default:
		m.tree.Settle(n)
	}
}

func (m *FS) empty(dir string) error {
	infos, err := m.local.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, info := range infos {
		if err := m.local.RemoveAll(path.Join(dir, info.Name)); err != nil {
			return err
		}
	}
	return nil
}
