package copies

import (
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Used is what MaxBytes bounds. Lock is held.
func (m *Set) Used() int64 {
	used := m.ledger.Sum()
	used.Add(m.tree.OwnedBytes())
	return used.Int64()
}

// Reserve makes room for a download before its bytes are written.
func (a *shared) Reserve(here *download.Partial, size int64) error {
	m := a.m
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if more := m.ledger.More(a.Download, here, size); m.MaxBytes > 0 && more > m.MaxBytes-m.Used() {
		m.evictUntil(m.MaxBytes - more)
		if more > m.MaxBytes-m.Used() {
			m.ledger.Remove(here)
			return download.ErrNoRoom
		}
	}
	m.ledger.Reserve(a.Download, here, size)
	return nil
}

// Own makes the local bytes of a node a copy. MakeRoom evicts those that are too many. Lock is held.
func (m *Set) Own(n *tree.Node, c tree.Copy) {
	m.tree.Own(n, c)
	m.overfull = m.MaxBytes > 0 && m.Used() > m.MaxBytes
}

// MakeRoom evicts what was too much for MaxBytes. It is called between transactions, with Lock held.
func (m *Set) MakeRoom() {
	if m.overfull {
		m.overfull = false
		m.evictUntil(m.MaxBytes)
	}
}

// Bound evicts what is too much for MaxBytes, which may have been more the last time. Lock is held.
func (m *Set) Bound() {
	m.overfull = m.MaxBytes > 0
	m.MakeRoom()
}

// evictUntil evicts copies, the least recently used first, until no more than limit bytes are in use. It is called
// between transactions.
func (m *Set) evictUntil(limit int64) {
	if limit < 0 {
		return // it does not fit anyway
	}
	for m.Used() > limit && m.ledger.RemoveAny() { // of no use by themselves
	}
	for m.Used() > limit {
		n := m.tree.Oldest()
		if n == nil {
			break
		}
		if m.tree.Guarded(n) { // it may have to be sent again
			m.tree.Skip(n)
			continue
		}
		if err := m.Evict(n); err != nil {
			m.Logger.Warn("not evicted", "name", n.Path(), "err", err)
			m.tree.Skip(n)
		}
	}
	if err := m.store.Save(); err != nil {
		m.Logger.Warn("eviction not recorded", "err", err)
	}
}

// Evict deletes the local bytes of an owned file that are, by their stamps, the copy that was recorded. Lock is held.
func (m *Set) Evict(n *tree.Node) error {
	name := n.Path()
	info, err := m.Local.Lstat(name)
	switch {
	case err != nil && !localdir.Missing(err):
		return err
	case err == nil && tree.Stamp(info.Stamp) != n.Copy().Stamp:
		return download.ErrChanged
	case err == nil:
		// Without the bytes, the record is that of a file to be fetched; without the record, the bytes would be the
		// user's.
		if err := m.Delete(name); err != nil {
			return err
		}
	}
	m.Counted.Evictions.Add(1)
	m.Counted.EvictedBytes.Add(n.Copy().Stamp.Size)
	m.Lost(n)
	m.Tidy(n.Parent())
	m.Logger.Debug("evicted", "name", name)
	return nil
}

// Delete removes a local file. A removal that is said to have failed may have been made all the same.
func (m *Set) Delete(name string) error {
	err := m.Local.Remove(name)
	if err != nil {
		if _, statErr := m.Local.Lstat(name); localdir.Missing(statErr) {
			return nil
		}
	}
	return err
}

// Tidy deletes local directories that are empty, from dir upwards, as far as they are there because of the remote: once
// nothing is known about what was in one, it would be taken for the user's, which is there whatever the remote says.
func (m *Set) Tidy(dir *tree.Node) {
	for ; dir != nil && !dir.IsRoot() && dir.Known != tree.Unknown && !dir.Differs(); dir = dir.Parent() {
		if dir.Known == tree.Absent && dir.HasKids() {
			return // they are only here
		}
		if m.Rmdir(dir.Path()) != nil {
			return // something is in it
		}
	}
}

// Rmdir removes an empty local directory. A file that the user has put in its place stays.
func (m *Set) Rmdir(name string) error {
	info, err := m.Local.Lstat(name)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return syscall.ENOTDIR
	}
	return m.Local.Remove(name)
}

// DropParts deletes what has arrived of a path on the remote, and what arrives, once that has come to its end. Lock is
// held.
func (m *Set) DropParts(from string) {
	m.ledger.Remove(m.ledger.Partial(from))
	for a := range m.running {
		a.evicted = a.evicted || a.From() == from
	}
}

// Lost records that the bytes of a copy are not here any more. Lock is held.
func (m *Set) Lost(n *tree.Node) {
	m.store.Vacate(n.Path())
	if n.Differs() {
		m.tree.KeepBase(n, m.Now().UnixNano())
	}
	m.tree.Lost(n)
}
