package syncfs

import (
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// What became of a delivery whose outcome is in doubt.

// resolveDelivery decides it by comparing what the remote has with what was sent. It reports whether it was made.
func (s *Fs) resolveDelivery(n *tree.Node, i *tree.Intent) (made bool, err error) {
	now := s.m.Remote().Ask(i.To)
	f, hash, err := s.fateOfDelivery(n, i, now)
	if err != nil {
		return false, err
	}
	err = s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) == n && n.Diff != nil && n.Diff.Intent == i {
			guard(v, n, i, f)
			found := *i
			found.Hash = hash
			made = settle(v, n, &found, f, now.Meta)
		}
		return nil
	})
	return made, err
}

// fateOfDelivery returns what became of a delivery, from what the remote has now. If it was made, hash is that of the
// content.
func (s *Fs) fateOfDelivery(n *tree.Node, i *tree.Intent, now remote.Answer) (f fate, hash tree.Hash, err error) {
	complete := i.Hash != tree.Hash{} // the file was closed, or about to be
	switch {
	case now.Known == tree.Unknown && !refused(now.Err):
		return f, hash, now.Err
	case now.Known != tree.Exists && complete: // the remote may have taken it
		return undecided, hash, nil
	case now.Known == tree.Exists && i.From != "" && now.Meta.SameVersion(i.Meta): // not removed
		return begun, hash, nil
	case now.Known != tree.Exists, now.Kind != tree.File, now.Meta.Size > i.Stamp.Size,
		now.Meta.SameVersion(i.Meta) && !s.unsureAt(i.To):
		return undone, hash, nil
	}
	whole := now.Meta.Size == i.Stamp.Size
	theirs, ours, err := s.sent(n, i, now)
	switch {
	case fatal(err):
		return f, hash, err
	case err == nil && ours && whole:
		return done, theirs, nil
	case err != nil && complete && whole: // it may not be read
		return done, i.Hash, nil
	case err == nil && ours, i.Meta == tree.Meta{} && !whole: // there was nothing before
		return begun, hash, nil
	}
	return undone, hash, nil
}

// deliveredAttrs returns the attributes that a delivery was to set. now is what the remote has.
func deliveredAttrs(i *tree.Intent, now tree.Meta) tree.Attr {
	want := i.Attr
	if i.Meta == (tree.Meta{}) { // it is new
		want.Mode = masked(want.Mode, now.Mode)
	}
	return want
}

// queueAttrs queues the attributes that a delivery has not set, because it ended before. now is what the remote has.
func queueAttrs(v *mirror.View, n *tree.Node, want tree.Attr, now tree.Meta) {
	if v.Tree().Node(n.ID) != n || !n.InView() {
		return
	}
	if want.Mode == now.Mode&settable && keeps(want.MTime, now.MTime) {
		return
	}
	a := &v.Tree().Note(n, v.Now()).Attr
	if a.Set&tree.AttrMode == 0 {
		a.Set, a.Mode = a.Set|tree.AttrMode, want.Mode
	}
	if a.Set&tree.AttrTimes == 0 && !n.Dirty() {
		a.Set, a.ATime, a.MTime = a.Set|tree.AttrTimes, want.ATime, want.MTime
	}
	v.Tree().Touch(n)
}

// unsureAt reports whether size and time may not tell the version that a file of the remote is thought to have from another
// one.
func (s *Fs) unsureAt(name string) bool {
	return s.holds(func(v *mirror.View) bool {
		n := v.Tree().AtRemote(name)
		return n != nil && baseOf(n).hash != nil
	})
}

// sent returns the hash of what the remote has, and reports whether that is the beginning of a delivered content, or
// all of it.
func (s *Fs) sent(n *tree.Node, i *tree.Intent, now remote.Answer) (theirs tree.Hash, yes bool, err error) {
	if theirs, err = s.hashRemote(i.To, now.Meta); err != nil || theirs == i.Hash || now.Meta.Size == 0 {
		return theirs, err == nil, err
	}
	var path string
	err = s.m.Do(func(*mirror.View) error {
		path = n.Path()
		return nil
	})
	if err == nil && path != "" {
		var ours tree.Hash
		ours, err = s.hashLocal(content{path: path, stamp: i.Stamp}, now.Meta.Size)
		if err == nil || final(err) {
			return theirs, ours == theirs, err
		}
	}
	if !final(err) { // it was written or removed since
		yes, err = s.beginsWith(i, now.Meta)
	}
	return theirs, yes, err
}
