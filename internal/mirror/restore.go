package mirror

import (
	"fmt"
	"path"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/statelog"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

const logName = localdir.StateDir + "/log"

// restore reads the log and brings to an end what a process that died had begun.
func (m *FS) restore() error {
	replay := tree.Replay()
	log, damage, err := statelog.Open(m.local, logName, replay.Apply)
	if err != nil {
		return err
	}
	m.log = log
	t, undone, lost := replay.Finish()
	m.tree = t
	switch {
	case damage != nil:
		m.damage = fmt.Errorf("the record of local changes was damaged; %d records before the damage were kept, "+
			"what followed is set aside in %s: %w", damage.Records, damage.File, damage.Err)
	case lost > 0:
		m.damage = fmt.Errorf("the record of local changes is inconsistent; %d entries were left out", lost)
	}
	if m.damage != nil {
		m.opt.Logger.Error("state damaged", "err", m.damage)
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
	if damage != nil {
		if err := m.rewrite(); err != nil {
			return err
		}
	}
	m.live = max(m.live, m.log.Size())
	return m.save()
}

// redo makes an action that may have been made already.
func (m *FS) redo(a tree.Action) {
	if err := m.actOne(a); err != nil {
		m.opt.Logger.Warn("local change not repeated", "from", a.From, "to", a.To, "err", err)
	}
}

// restoreNode decides about a node whose bytes were on their way when the process died.
func (m *FS) restoreNode(n *tree.Node) {
	switch {
	case n.Content == tree.Busy:
		m.tree.Edit(n).Content = tree.Interrupted
		if _, err := m.local.Lstat(n.Path()); err != nil && !n.HasBase() {
			m.tree.Unlink(n, m.Now()) // it was never made
			return
		}
		m.tree.Touch(n)
	case n.Content == tree.Owned && n.Copy.Landing:
		m.restoreLanding(n)
	}
	if n.Content == tree.Owned {
		m.used += n.Copy.Stamp.Size
	}
}

// restoreLanding finishes the rename of a fetched copy into its place, or finds that it is done.
func (m *FS) restoreLanding(n *tree.Node) {
	temp := tempName(n)
	if info, err := m.local.Lstat(temp); err == nil && info.Size() == n.Copy.Stamp.Size {
		if err := m.makeParent(n.Path()); err == nil {
			_ = m.local.Rename(temp, n.Path())
		}
	}
	// Whether the new copy, the previous one or neither is there, is seen by their stamps and hashes when the file
	// is used next.
}

// tempName is where the node's bytes arrive.
func tempName(n *tree.Node) string {
	return fmt.Sprintf("%s/%016x", localdir.TmpDir, uint64(n.ID))
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
