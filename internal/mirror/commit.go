package mirror

import (
	"errors"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// begin records that a file is being written. If its bytes were whole, as a copy or a change, the record is synced before
// the first byte changes: after a loss of power, a partly written file must not pass for a copy, or for content to push.
func (o *opened) begin() error {
	m := o.m
	o.shared.starting.Lock()
	defer o.shared.starting.Unlock()
	m.mu.Lock()
	if m.closed() {
		m.mu.Unlock()
		return fs.ErrClosed
	}
	n, s := o.node, o.shared
	if n.Content() == tree.Owned || n.Content() == tree.Changed || n.Content() == tree.Edited { // whole
		s.unsynced.Store(true)
	}
	s.unwritten = false
	if !s.busy.Load() && n.InView() {
		m.toBusy(n)
		if err := m.save(); err != nil {
			m.mu.Unlock()
			return err
		}
	}
	s.busy.Store(true)
	if !o.wrote {
		o.wrote = true
		s.dirty++
	}
	m.mu.Unlock()
	if !s.unsynced.Load() {
		return nil
	}
	err := m.store.Sync()
	s.unsynced.Store(err != nil) // then the next write tries again
	return err
}

// toBusy marks a node as being written. The node is no longer a copy, and a time that was set before no longer counts.
func (m *state) toBusy(n *tree.Node) {
	m.tree.KeepBase(n, m.Now())
	m.tree.Begin(n)
	d := m.tree.Note(n, m.Now())
	d.Attr.Set &^= tree.AttrTimes
	d.Written = 0
}

// commit records that the bytes written through a handle are complete. Without sync, it does so only when no other handle
// has unfinished writes.
func (o *opened) commit(sync bool) error {
	m := o.m
	info, err := o.local.Stat()
	m.mu.Lock()
	defer m.mu.Unlock()
	n, s := o.node, o.shared
	if o.wrote {
		o.wrote = false
		s.dirty--
	}
	if !s.busy.Load() || s.dirty > 0 && !sync || m.closed() {
		return err
	}
	s.busy.Store(false)
	if !n.InView() || n.Content() != tree.Busy {
		return err
	}
	if err != nil { // the stamp is unknown: record what a restart would find
		m.tree.Interrupt(n)
		return errors.Join(err, m.save())
	}
	if d := m.tree.Note(n, m.Now()); n.Copy().Stamp.MTime != info.Stamp.MTime {
		d.Written = 0 // Chtimes came before the last write
	}
	m.tree.Finish(n, tree.Stamp(info.Stamp))
	if saveErr := m.save(); saveErr != nil {
		m.tree.Interrupt(n) // as a restart would find it
		return saveErr
	}
	return err
}

// syncPath makes the record of a node, and the names on the way to it, survive a loss of power.
func (m *FS) syncPath(n *tree.Node) error {
	if err := m.store.Sync(); err != nil {
		return err
	}
	m.mu.Lock()
	name := n.Path()
	m.mu.Unlock()
	for name != "" && name != "." {
		name, _ = tree.Split(name)
		if err := m.local.SyncDir(name); err != nil {
			return err
		}
	}
	return nil
}
