package mirror

import "github.com/sftpsyncer/go-syncfs/internal/tree"

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

// Quiesce makes a change of the remote that takes away, or may, what is under some paths and below them. What calls
// have asked before it ended counts no more. If it ends with m's context before it was begun, the error is that of the
// context.
func (m *FS) Quiesce(do func() error, paths ...string) error {
	return m.quiesce(&quiescence{paths: paths}, do)
}

// Alter makes a change of the remote after which the file under a path is another version: its content is written, or only
// its time is set. What is being read of it, and has not arrived yet, is here before that, if it is not much; the remote
// opens it for others afterwards.
func (m *FS) Alter(do func() error, path string) error {
	return m.quiesce(&quiescence{paths: []string{path}, alters: true}, do)
}

func (m *FS) quiesce(d *quiescence, do func() error) error {
	end, err := m.Begin()
	if err != nil {
		return err
	}
	defer end()
	d.ended = make(chan struct{})
	var before []<-chan struct{} // what has to be over
	m.mu.Lock()
	m.quiescing[d] = true
	for a := range m.running {
		changes := d.changes(a.node.RemotePath()) || d.changes(a.From()) && m.mayReadNew(a)
		if changes && a.handles > 0 && a.progress().Missing <= mostSettled {
			a.waiting++
			defer a.leave(&a.waiting, false)
			a.Want()
			before = append(before, a.Closed)
			continue
		}
		if changes && m.joinable[a.node.ID] == a { // nobody may join what brings the version before
			delete(m.joinable, a.node.ID)
		}
		if !a.Opened.Happened() && d.concerns(a) {
			before = append(before, a.Opened)
		}
	}
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.quiescing, d)
		close(d.ended)
		m.view().RemoteChanged()
	}()
	for _, over := range before {
		select {
		case <-over:
		case <-m.ctx.Done():
			return m.ctx.Err()
		}
	}
	return do()
}

// mayReadNew says whether a download may read the file that is under its path now: what it was to bring may have been replaced
// before the remote opened the file. The mirror is locked.
func (m *FS) mayReadNew(a *sharedDownload) bool {
	meta, known := a.Version()
	n := m.tree.AtRemote(a.From())
	return !known || !a.Begun.Happened() || n != nil && meta.SameVersion(n.Meta)
}

// altering are the ends of the changes under way that make the file of a node another version. The mirror is locked.
func (m *FS) altering(n *tree.Node) (ends []<-chan struct{}) {
	for d := range m.quiescing {
		if d.changes(n.RemotePath()) {
			ends = append(ends, d.ended)
		}
	}
	return ends
}

// changes says whether the file under a path becomes another version.
func (d *quiescence) changes(path string) bool { return d.alters && path == d.paths[0] }

// concerns says whether the remote opens a file for a download under one of the paths.
func (d *quiescence) concerns(a *sharedDownload) bool {
	return a.around.MayBeWithin(a.From(), d.paths)
}

// quiesced says whether such a change is under way of what a download brings. The mirror is locked.
func (m *FS) quiesced(a *sharedDownload) bool {
	for d := range m.quiescing {
		if d.concerns(a) {
			return true
		}
	}
	return false
}
