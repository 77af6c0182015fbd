package mirror

import (
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// used is what Options.MaxBytes bounds. The mirror is locked.
func (m *state) used() int64 {
	used := m.ledger.Sum()
	used.Add(m.tree.OwnedBytes())
	return used.Int64()
}

// Reserve makes room for a download before its bytes are written.
func (a *sharedDownload) Reserve(here *download.Partial, size int64) error {
	m := a.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if more := m.ledger.More(a.Download, here, size); m.opt.MaxBytes > 0 && more > m.opt.MaxBytes-m.used() {
		m.evictUntil(m.opt.MaxBytes - more)
		if more > m.opt.MaxBytes-m.used() {
			m.ledger.Remove(here)
			return download.ErrNoRoom
		}
	}
	m.ledger.Reserve(a.Download, here, size)
	return nil
}

// own makes the local bytes of a node a copy. Those that are too many are evicted once that is recorded.
func (v *View) own(n *tree.Node, c tree.Copy) {
	v.tree.Own(n, c)
	v.overfull = v.opt.MaxBytes > 0 && v.used() > v.opt.MaxBytes
}

// evictUntil evicts copies, the least recently used first, until no more than limit bytes are in use. It is called
// between transactions.
func (m *FS) evictUntil(limit int64) {
	if limit < 0 {
		return // it does not fit anyway
	}
	for m.used() > limit && m.ledger.RemoveAny() { // of no use by themselves
	}
	for m.used() > limit {
		n := m.tree.Oldest()
		if n == nil {
			break
		}
		if m.tree.Guarded(n) { // it may have to be sent again
			m.tree.Skip(n)
			continue
		}
		if err := m.evict(n); err != nil {
			m.opt.Logger.Warn("not evicted", "name", n.Path(), "err", err)
			m.tree.Skip(n)
		}
	}
	if err := m.save(); err != nil {
		m.opt.Logger.Warn("eviction not recorded", "err", err)
	}
}

// evict deletes the local bytes of an owned file that are, by their stamps, the copy that was recorded.
func (m *state) evict(n *tree.Node) error {
	name := n.Path()
	info, err := m.local.Lstat(name)
	switch {
	case err != nil && !localdir.Missing(err):
		return err
	case err == nil && tree.Stamp(info.Stamp) != n.Copy().Stamp:
		return ErrChanged
	case err == nil:
		// Without the bytes, the record is that of a file to be fetched; without the record, the bytes would be the
		// user's.
		if err := m.delete(name); err != nil {
			return err
		}
	}
	m.counted.evictions.Add(1)
	m.counted.evictedBytes.Add(n.Copy().Stamp.Size)
	m.evicted(n)
	m.Tidy(n.Parent())
	m.opt.Logger.Debug("evicted", "name", name)
	return nil
}

// delete removes a local file. A removal that is said to have failed may have been made all the same.
func (m *state) delete(name string) error {
	err := m.local.Remove(name)
	if err != nil {
		if _, statErr := m.local.Lstat(name); localdir.Missing(statErr) {
			return nil
		}
	}
	return err
}

// Tidy deletes local directories that are empty, from dir upwards, as far as they are there because of the remote: once
// nothing is known about what was in one, it would be taken for the user's, which is there whatever the remote says.
func (m *state) Tidy(dir *tree.Node) {
	for ; dir != nil && !dir.IsRoot() && dir.Known != tree.Unknown && !dir.Differs(); dir = dir.Parent() {
		if dir.Known == tree.Absent && dir.HasKids() {
			return // they are only here
		}
		if m.rmdir(dir.Path()) != nil {
			return // something is in it
		}
	}
}

// rmdir removes an empty local directory. A file that the user has put in its place stays.
func (m *state) rmdir(name string) error {
	info, err := m.local.Lstat(name)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return syscall.ENOTDIR
	}
	return m.local.Remove(name)
}

// Evict deletes the local copy of a file. The error matches ErrBusy if it is open or pinned, or if a request that got no
// answer may still destroy what the remote has; ErrChanged if what is here is no copy: an edit, or a file of the user's.
func (m *FS) Evict(name string) error {
	clean, err := m.Clean(name)
	if err != nil {
		return err
	}
	return m.Do(func(v *View) error {
		p, err := v.Find(clean, true)
		if err == nil {
			err = p.Err()
		}
		if err != nil {
			return err
		}
		n := p.Node
		switch {
		case p.Local != nil && !p.Local.IsDir():
			return ErrChanged
		case n == nil:
			v.dropParts(tree.Join(p.Dir.RemotePath(), p.Name))
			return nil
		case n.Ours():
			return ErrChanged
		case v.open[n.ID] != nil, pinned(n):
			return ErrBusy
		case n.Local() && v.tree.Guarded(n):
			return errGuarded
		}
		v.dropParts(n.RemotePath())
		v.stopDownload(n)
		if n.Content() == tree.Remote {
			return nil
		}
		return v.evict(n)
	})
}

// dropParts deletes what has arrived of a path on the remote, and what arrives, once that has come to its end. The mirror is
// locked.
func (m *state) dropParts(from string) {
	m.ledger.Remove(m.ledger.Partial(from))
	for a := range m.running {
		a.evicted = a.evicted || a.From() == from
	}
}
