package copies

import (
	"context"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Open may return before the remote has opened the file. The program must read the file that it has opened, whatever it does
// next. So a change of the remote that would remove or replace the file waits for the opens that are under way. While such a
// change is under way, Open waits for the remote.

// quiescence is such a change.
type quiescence struct {
	paths  []string
	alters bool          // the file under the path becomes another version; else everything at and below the paths may go away
	ended  chan struct{} // closed at the end
}

// Quiesce runs do, which changes the remote and may remove what is at some paths and below them. If ctx ends before do has
// begun, Quiesce returns the error of ctx.
func (set *Set) Quiesce(ctx context.Context, do func() error, paths ...string) error {
	return set.quiesce(ctx, &quiescence{paths: paths}, do)
}

// Alter runs do, which changes the version of the file at a path: its content or only its time. Before that, it completes
// the downloads of the old version that have readers, unless more than 64 MiB are missing. Later opens wait until do has
// returned.
func (set *Set) Alter(ctx context.Context, do func() error, path string) error {
	return set.quiesce(ctx, &quiescence{paths: []string{path}, alters: true}, do)
}

func (set *Set) quiesce(ctx context.Context, d *quiescence, do func() error) error {
	d.ended = make(chan struct{})
	var before []<-chan struct{} // events to wait for
	set.Lock.Lock()
	for set.stillness > 0 {
		released := set.released
		set.Lock.Unlock()
		select {
		case <-released:
		case <-ctx.Done():
			return ctx.Err()
		}
		set.Lock.Lock()
	}
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
		if changes { // nobody may join a download of the old version
			a.unjoin()
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

// mayReadNew reports whether a download may read the file that is at its path now, because it was replaced before the remote
// opened it. Lock is held.
func (set *Set) mayReadNew(a *shared) bool {
	meta, known := a.Version()
	n := set.tree.AtRemote(a.From())
	return !known || !a.Begun.Happened() || n != nil && meta.SameVersion(n.Meta)
}

// altering returns the ends of the changes under way that change the version of a node's file. Lock is held.
func (set *Set) altering(n *tree.Node) (ends []<-chan struct{}) {
	for d := range set.quiescing {
		if d.changes(n.RemotePath()) {
			ends = append(ends, d.ended)
		}
	}
	return ends
}

// changes reports whether the version of the file at a path changes.
func (d *quiescence) changes(path string) bool { return d.alters && path == d.paths[0] }

// concerns reports whether the download's file may be at or below one of the paths.
func (d *quiescence) concerns(a *shared) bool {
	return a.around.MayBeWithin(a.From(), d.paths)
}

// quiesced reports whether a change that concerns the download is under way. Lock is held.
func (set *Set) quiesced(a *shared) bool {
	for d := range set.quiescing {
		if d.concerns(a) {
			return true
		}
	}
	return false
}

// Stillness lets one call ask the remote while it does not change. Without that, a client that changes the remote more than
// once in a round trip would outdate all answers.
type Stillness struct {
	Set  *Set
	held bool
}

// Hold holds back the changes of the remote that have not begun, or lets them begin. It does not wait for those in flight.
func (s *Stillness) Hold(held bool) {
	if held == s.held {
		return
	}
	s.held = held
	set := s.Set
	set.Lock.Lock()
	defer set.Lock.Unlock()
	switch {
	case held && set.stillness == 0:
		set.stillness, set.released = 1, make(chan struct{})
	case held:
		set.stillness++
	default:
		if set.stillness--; set.stillness == 0 {
			close(set.released)
		}
	}
}
