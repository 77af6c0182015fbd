package copies

import (
	"errors"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Used returns the bytes that MaxBytes bounds. Lock is held.
func (set *Set) Used() int64 {
	used := set.ledger.Sum()
	used.Add(set.tree.OwnedBytes())
	return used.Int64()
}

// Reserve makes room for a download before its bytes are written.
func (a *shared) Reserve(here *download.Partial, size int64) error {
	for {
		doubtful, err := a.reserve(here, size)
		if doubtful == "" {
			return err
		}
		a.set.Verify(a.Context(), doubtful)
	}
}

// reserve is Reserve unless a copy has to be verified first, whose name it returns then.
func (a *shared) reserve(here *download.Partial, size int64) (doubtful string, err error) {
	set := a.set
	set.Lock.Lock()
	defer set.Lock.Unlock()
	if more := set.ledger.More(a.Download, here, size); set.MaxBytes > 0 && more > set.MaxBytes-set.Used() {
		if doubtful := set.evictUntil(set.MaxBytes - more); doubtful != "" {
			return doubtful, nil
		}
		if more > set.MaxBytes-set.Used() {
			set.ledger.Remove(here)
			return "", download.ErrNoRoom
		}
	}
	set.ledger.Reserve(a.Download, here, size)
	return "", nil
}

// Own makes the local bytes of a node a copy. If they are too many, MakeRoom evicts others. Lock is held.
func (set *Set) Own(n *tree.Node, c tree.Copy) {
	set.tree.Own(n, c)
	set.overfull = set.MaxBytes > 0 && set.Used() > set.MaxBytes
}

// MakeRoom evicts copies after Own has exceeded MaxBytes. It is called between transactions, with Lock held.
func (set *Set) MakeRoom() {
	if set.overfull {
		set.overfull = false
		set.Bound()
	}
}

// Bound evicts copies down to MaxBytes, which may have been higher for the process before. If one of them has to be
// verified first, that and the rest are done in the background. Lock is held.
func (set *Set) Bound() {
	if set.MaxBytes <= 0 {
		return
	}
	if doubtful := set.evictUntil(set.MaxBytes); doubtful != "" {
		set.Go(func() {
			set.Verify(set.Until, doubtful)
			set.Lock.Lock()
			defer set.Lock.Unlock()
			if set.Until.Err() == nil {
				set.Bound()
			}
		})
	}
}

// evictUntil evicts copies, the least recently used first, until at most limit bytes are in use. It is called between
// transactions. If the next copy may have been edited, evictUntil returns its name: Verify and call it again.
func (set *Set) evictUntil(limit int64) (doubtful string) {
	if limit < 0 {
		return "" // it does not fit in any case
	}
	for set.Used() > limit && set.ledger.RemoveAny() { // of no use by themselves
	}
	for set.Used() > limit && doubtful == "" {
		n := set.tree.Oldest()
		if n == nil {
			break
		}
		if set.tree.Guarded(n) { // it may have to be sent again
			set.tree.Skip(n)
			continue
		}
		err := set.Evict(n)
		if err == nil {
			continue
		}
		set.tree.Skip(n)
		if errors.Is(err, download.ErrChanged) {
			doubtful = n.Path()
		} else {
			set.Logger.Warn("not evicted", "name", n.Path(), "err", err)
		}
	}
	if err := set.store.Save(); err != nil {
		set.Logger.Warn("eviction not recorded", "err", err)
	}
	return doubtful
}

// Evict deletes the copy of a node. The error is ErrChanged if the local file does not have the recorded stamps. Lock is
// held.
func (set *Set) Evict(n *tree.Node) error {
	name := n.Path()
	info, err := set.Local.Lstat(name)
	switch {
	case err != nil && !localdir.Missing(err):
		return err
	case err == nil && tree.Stamp(info.Stamp) != n.Copy().Stamp:
		return download.ErrChanged
	case err == nil:
		// A record without bytes means that the file has to be fetched. Bytes without a record would pass for the user's.
		if err := set.Delete(name); err != nil {
			return err
		}
	}
	set.Counted.Evictions.Add(1)
	set.Counted.EvictedBytes.Add(n.Copy().Stamp.Size)
	set.Lost(n)
	set.Tidy(n.Parent())
	set.Logger.Debug("evicted", "name", name)
	return nil
}

// Delete removes a local file. If the removal fails, but the file is gone, Delete succeeds.
func (set *Set) Delete(name string) error {
	err := set.Local.Remove(name)
	if err != nil {
		if _, statErr := set.Local.Lstat(name); localdir.Missing(statErr) {
			return nil
		}
	}
	return err
}

// Tidy deletes empty local directories from dir upwards, if they exist because of copies. An empty directory about
// which nothing is known would pass for a user's directory, which is in the view whatever the remote says.
func (set *Set) Tidy(dir *tree.Node) {
	for ; dir != nil && !dir.IsRoot() && dir.Known != tree.Unknown && !dir.Differs(); dir = dir.Parent() {
		if dir.Known == tree.Absent && dir.HasKids() {
			return // these exist only locally
		}
		if set.Rmdir(dir.Path()) != nil {
			return // something is in it
		}
	}
}

// Rmdir removes an empty local directory. It leaves a file that the user has put in its place.
func (set *Set) Rmdir(name string) error {
	info, err := set.Local.Lstat(name)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return syscall.ENOTDIR
	}
	return set.Local.Remove(name)
}

// DropParts deletes the partial file of a path on the remote. Running downloads of the path keep nothing when they end. Lock
// is held.
func (set *Set) DropParts(from string) {
	set.ledger.Remove(set.ledger.Partial(from))
	for a := range set.running {
		a.evicted = a.evicted || a.From() == from
	}
}

// Lost records that the local bytes of a copy are gone. Lock is held.
func (set *Set) Lost(n *tree.Node) {
	set.store.Vacate(n.Path())
	if n.Differs() {
		set.tree.KeepBase(n, set.Now().UnixNano())
	}
	set.tree.Lost(n)
}
