package copies

import (
	"context"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Open returns before the remote has opened a file, once it is sure that it will. Whatever this side does next, the
// program reads the file that it has opened: a change by which a name of the remote would come to stand for something
// else, or the file could not be opened any more, waits for the opens that are under way. Of a file about which such a
// change is under way, Open returns when the remote has opened it.

// quiescence is such a change.
type quiescence struct {
	paths  []string
	alters bool          // the file under the path becomes another version; else it, or what is below, goes away
	ended  chan struct{} // closed at the end
}

// Quiesce makes a change of the remote that takes away, or may, what is under some paths and below them. If ctx ends before
// it was begun, the error is that of ctx.
func (set *Set) Quiesce(ctx context.Context, do func() error, paths ...string) error {
	return set.quiesce(ctx, &quiescence{paths: paths}, do)
}

// Alter makes a change of the remote after which the file under a path is another version: its content is written, or only
// its time is set. What is being read of it, and has not arrived yet, is here before that, if it is not much; the remote
// opens it for others afterwards.
func (set *Set) Alter(ctx context.Context, do func() error, path string) error {
	return set.quiesce(ctx, &quiescence{paths: []string{path}, alters: true}, do)
}

func (set *Set) quiesce(ctx context.Context, d *quiescence, do func() error) error {
	d.ended = make(chan struct{})
	var before []<-chan struct{} // what has to be over
	set.Lock.Lock()
	set.quiescing[d] = true
	for a := range set.running {
		changes := d.changes(a.node.RemotePath()) || d.changes(a.From()) && set.mayReadNew(a)
		if changes && a.handles > 0 && a.progress().Missing <= mostSettled {
			a.waiting++
			defer a.leave(&a.waiting, false)
			a.Want()
			before = append(before, a.Closed)
			continue
		}
		if changes && set.joinable[a.node.ID] == a { // nobody may join what brings the version before
			delete(set.joinable, a.node.ID)
		}
		if !a.Opened.Happened() && d.concerns(a) {
			before = append(before, a.Opened)
		}
	}
	set.Lock.Unlock()
	defer func() {
		set.Lock.Lock()
		defer set.Lock.Unlock()
		delete(set.quiescing, d)
		close(d.ended)
		set.RemoteChanged()
	}()
	for _, over := range before {
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return do()
}

// mayReadNew says whether a download may read the file that is under its path now: what it was to bring may have been replaced
// before the remote opened the file. Lock is held.
func (set *Set) mayReadNew(a *shared) bool {
	meta, known := a.Version()
	n := set.tree.AtRemote(a.From())
	return !known || !a.Begun.Happened() || n != nil && meta.SameVersion(n.Meta)
}

// altering are the ends of the changes under way that make the file of a node another version. Lock is held.
func (set *Set) altering(n *tree.Node) (ends []<-chan struct{}) {
	for d := range set.quiescing {
		if d.changes(n.RemotePath()) {
			ends = append(ends, d.ended)
		}
	}
	return ends
}

// changes says whether the file under a path becomes another version.
func (d *quiescence) changes(path string) bool { return d.alters && path == d.paths[0] }

// concerns says whether the remote opens a file for a download under one of the paths.
func (d *quiescence) concerns(a *shared) bool {
	return a.around.MayBeWithin(a.From(), d.paths)
}

// quiesced says whether such a change is under way of what a download brings. Lock is held.
func (set *Set) quiesced(a *shared) bool {
	for d := range set.quiescing {
		if d.concerns(a) {
			return true
		}
	}
	return false
}
