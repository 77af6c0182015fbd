package copies

import (
	"errors"
	"path"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remoteclock"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

var _ download.Owner = (*shared)(nil)

// HasPartial reports whether there is a partial file of the same path.
func (a *shared) HasPartial() bool {
	a.set.Lock.Lock()
	defer a.set.Lock.Unlock()
	return a.set.ledger.Partial(a.From()) != nil
}

// Begin records the version that is about to arrive, and returns its partial file.
func (a *shared) Begin(version tree.Meta) *download.Partial {
	set := a.set
	set.Lock.Lock()
	defer set.Lock.Unlock()
	if n := a.node; set.fits(a) {
		set.tree.Edit(n)
		if n.Meta == a.known { // else a later answer came, or this client has changed it
			if n.Diff != nil && !n.Meta.SameVersion(version) {
				n.Diff.Base = nil // of a copy that is gone
			}
			n.Meta = version
		}
		n.Known, n.Checked = tree.Exists, set.Now().UnixNano()
		if err := set.store.Save(); err != nil { // Save also records the changes of other calls
			set.Logger.Warn("not recorded", "err", err)
		}
	}
	return set.ledger.Take(a.From(), version)
}

// Keep records a partial file.
func (a *shared) Keep(p *download.Partial) bool {
	a.set.Lock.Lock()
	defer a.set.Lock.Unlock()
	if !a.evicted {
		a.set.ledger.Keep(a.Download, p)
	}
	return !a.evicted
}

// Dropped releases the room of the download.
func (a *shared) Dropped() {
	a.set.Lock.Lock()
	defer a.set.Lock.Unlock()
	a.set.ledger.Free(a.Download)
}

// Ended prevents other callers from joining.
func (a *shared) Ended() {
	a.set.Lock.Lock()
	defer a.set.Lock.Unlock()
	a.unjoin()
	delete(a.set.running, a)
}

// Install renames a finished download to the name of its node, unless the node has changed, left the view, or is known to
// have another version. It records the copy first, so that the file found under that name after a crash is known.
func (a *shared) Install(c download.Copy) (taken bool, err error) {
	set, n := a.set, a.node
	set.Lock.Lock()
	if !set.fits(a) || !n.Meta.SameVersion(c.Version) { // or a later answer came
		set.Lock.Unlock()
		return false, nil // the waiting callers look again
	}
	at := c.Ended.UnixNano()
	own := tree.Copy{Stamp: tree.Stamp(c.Info.Stamp), Hash: c.Hash, Fetched: at,
		Unsure: remoteclock.Unsure(c.Version.MTime, set.Clock.At(c.Began))}.From(c.Temp)
	if !c.Synced {
		own.Boot = set.store.Boot()
	}
	set.tree.Install(n, own)
	n.Known, n.Checked = tree.Exists, at
	if err = set.store.Save(); err == nil {
		set.ledger.Free(a.Download) // the node counts it from now on
	}
	set.Lock.Unlock()
	if err != nil {
		return false, err
	}
	c.Forget(set.Local)
	err = set.store.Sync()
	set.Lock.Lock()
	defer set.Lock.Unlock()
	if n.Content() != tree.Owned || n.Copy().Installing() != c.Temp || !n.InView() {
		_ = set.Local.Remove(c.Temp) // changed or removed meanwhile: that stands
		return true, err
	}
	if err != nil {
		return true, set.backOut(n, err)
	}
	if err := set.moveIn(n); err != nil {
		return true, err
	}
	if n.Content() == tree.Owned && !n.Copy().Stale { // else it was backed out
		a.Installed()
		a.unjoin() // the download no longer speaks for the copy
	}
	return true, nil
}

// fits reports whether the download may still become the node's copy.
func (set *Set) fits(a *shared) bool {
	n := a.node
	return set.joinable[n.ID] == a && set.tree.Node(n.ID) == n && n.InView() && n.HasBase() &&
		!set.BeingWritten(n.RemotePath()) &&
		(n.Content() == tree.Remote || n.Content() == tree.Owned && n.Copy().Stale)
}

// moveIn renames a recorded copy into its place.
func (set *Set) moveIn(n *tree.Node) error {
	name, temp, prev := n.Path(), n.Copy().Installing(), n.Copy().Prev()
	if !set.store.Vacant(name, prev) {
		return set.backOut(n, nil) // the waiting callers look again
	}
	err := set.store.Rename(temp, name)
	if localdir.Missing(err) {
		if err = set.store.MakeParent(name); err == nil {
			err = set.store.Rename(temp, name)
		}
	}
	if err != nil {
		return set.backOut(n, download.Room(err))
	}
	if prev != nil {
		set.store.NameChanged(path.Dir(name)) // it would pass for an edit of the new one
	}
	stamp := n.Copy().Stamp
	if info, err := set.Local.Lstat(name); err == nil {
		stamp = tree.Stamp(info.Stamp) // the rename changed its ctime
	}
	set.tree.Installed(n, stamp)
	return set.store.Save()
}

// backOut reverts the record of a copy that could not be renamed into its place.
func (set *Set) backOut(n *tree.Node, err error) error {
	_ = set.Local.Remove(n.Copy().Installing())
	set.tree.BackOut(n)
	return errors.Join(err, set.store.Save())
}
