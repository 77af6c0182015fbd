package mirror

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// settle appends what is owed.
func (m *state) settle() error {
	if len(m.owed) == 0 {
		return nil
	}
	for len(m.owed) > 0 {
		if err := m.log.Append(m.owed[0]); err != nil {
			return err
		}
		m.owed = m.owed[1:]
	}
	m.appended = m.tree.Seq() // none is taken while one is owed
	return nil
}

// save records what was changed in the tree, then changes the local directory accordingly. If either fails, all is
// as it was.
func (m *state) save(actions ...tree.Action) error {
	err := m.settle()
	var copies []*tree.Node
	sync := false
	if err == nil {
		copies, sync = m.identify(actions)
		if rec := m.tree.Take(actions); rec != nil {
			if err = m.log.Append(rec); err == nil {
				m.appended = m.tree.Seq()
			}
		}
	}
	if err != nil {
		m.tree.Rollback(false)
		return err
	}
	m.moves(actions)
	if sync {
		err = m.syncLogAnyway() // rarely: see mistakable
	}
	if err == nil {
		err = m.act(actions)
	}
	if err != nil {
		m.tree.Rollback(true)
		if rec := m.tree.Take(nil); rec != nil {
			m.owed = append(m.owed, rec)
		}
		m.tree.Commit()
		return errors.Join(err, m.settle())
	}
	m.tree.Commit()
	m.followUsers(actions)
	m.restamp(copies)
	m.compact()
	return nil
}

// identify notes what the actions rename, and returns the nodes among it that are untouched copies; and whether something
// could be mistaken for what it replaces, should the record not last. What is renamed twice is still where the first of the
// two takes it from.
func (m *state) identify(actions []tree.Action) (copies []*tree.Node, alike bool) {
	origins := map[string]string{}
	for i, a := range actions {
		if a.Kind != tree.RenameLocal {
			continue
		}
		origin := cmp.Or(origins[a.From], a.From)
		origins[a.To] = origin
		info, err := m.local.Lstat(origin)
		if err != nil {
			continue
		}
		actions[i].Ino = info.Stamp.Ino
		if there, err := m.local.Lstat(a.To); err == nil && !reserved(a.To) {
			alike = alike || mistakable(info, there)
		}
		n := m.Lookup(a.To)
		if n != nil && n.Content() == tree.Owned && n.Copy().Stamp == stampOf(info) {
			copies = append(copies, n)
		}
	}
	return copies, alike
}

// restamp takes note that renaming untouched copies has changed their ctime: they still are. The note goes into the
// next record; without it the hash would tell.
func (m *state) restamp(copies []*tree.Node) {
	for _, n := range copies {
		if info, err := m.local.Lstat(n.Path()); err == nil {
			m.tree.Restamp(n, stampOf(info))
		}
	}
}

// act makes the actions of a transaction, and records each: it must not be made again on the next start, when
// something else may be there. If one fails, those before it are undone.
func (m *state) act(actions []tree.Action) error {
	for i, a := range actions {
		if err := m.actOne(a); err != nil {
			for i--; i >= 0; i-- {
				m.undo(actions[i])
			}
			return err
		}
		if done := tree.EncodeDone(i + 1); m.log.Append(done) != nil {
			m.owed = append(m.owed, done)
		}
	}
	return nil
}

func (m *state) actOne(a tree.Action) error {
	switch a.Kind {
	case tree.RenameLocal:
		if tree.Within(a.From, localdir.TrashDir) && m.bothThere(a) {
			return fs.ErrExist // what goes back from the trash replaces nothing
		}
		err := m.rename(a.From, a.To)
		if errors.Is(err, fs.ErrNotExist) {
			// Bytes that were deleted by hand are missing under any name; or the directory is.
			switch _, statErr := m.local.Lstat(a.From); {
			case statErr == nil:
				if err = m.makeParent(a.To); err == nil {
					err = m.rename(a.From, a.To)
				}
			case missing(statErr):
				err = nil
			default:
				err = statErr
			}
		}
		return err
	case tree.MkdirLocal:
		err := m.mkdirAll(a.To)
		if info, statErr := m.local.Lstat(a.To); statErr == nil && info.IsDir() {
			return nil
		}
		return err
	case tree.RmdirLocal:
		info, err := m.local.Lstat(a.From)
		if err == nil && info.IsDir() {
			err = m.local.Remove(a.From)
		}
		if err != nil && !missing(err) && !errors.Is(err, syscall.ENOTEMPTY) { // something of the user's is left
			return err
		}
	}
	return nil
}

func (m *state) bothThere(a tree.Action) bool {
	_, fromErr := m.local.Lstat(a.From)
	_, toErr := m.local.Lstat(a.To)
	return fromErr == nil && toErr == nil
}

func (m *state) undo(a tree.Action) {
	switch a.Kind {
	case tree.RenameLocal:
		_ = m.local.Rename(a.To, a.From)
	case tree.MkdirLocal:
		_ = m.local.Remove(a.To)
	case tree.RmdirLocal:
		_ = m.mkdirAll(a.From)
	}
}

func (m *state) makeParent(name string) error {
	dir, _ := tree.Split(name)
	return m.mkdirAll(dir)
}

// mkdirAll makes a local directory, and those above it as far as they are missing. None lets others in whom it would not let in
// on the remote; this process may enter all of them.
func (m *state) mkdirAll(name string) error {
	if info, err := m.local.Lstat(name); err == nil && info.IsDir() {
		return nil
	}
	n, path := m.tree.Root(), ""
	for _, element := range elements(name) {
		if n != nil {
			n = n.Kid(element)
		}
		perm := fs.FileMode(0o700)
		if n != nil {
			perm |= n.Shown().Mode.Perm()
		}
		if path = tree.Join(path, element); m.local.MkdirAll(path, perm) != nil {
			break
		}
	}
	return m.local.MkdirAll(name, 0o700)
}

// compact has the log rewritten when most of it is history, while calls go on. If that fails, nothing is lost, and it is
// tried again when the log has grown.
func (m *state) compact() {
	size := m.log.Size()
	if m.compacting || m.closed || size < 4<<20 || size < 3*m.live {
		return
	}
	m.compacting = true
	rewrite := m.rewriting()
	m.workers.Go(func() {
		if err := rewrite(); err != nil {
			m.opt.Logger.Warn("log not compacted", "err", err)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.compacting, m.live = false, m.log.Size()
	})
}

// rewriting returns a function that replaces the records there are by the state that they lead to. It is called without the
// lock.
func (m *state) rewriting() func() error {
	end, records := m.log.Size(), slices.Collect(m.tree.Snapshot)
	return func() error {
		if err := m.syncNames(); err != nil {
			return err
		}
		return m.log.Rewrite(end, slices.Values(records))
	}
}
