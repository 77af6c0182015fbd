package mirror

import (
	"github.com/sftpsyncer/go-syncfs/internal/detour"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// How the view uses cached answers of the remote; see package listcache.

// bring prefetches the listings of directories in the background.
func (v *View) bring(dirs []string) {
	if len(dirs) == 0 {
		return
	}
	m, around, epoch := v.m.bind(v.stop, nil), detour.Of(v.tree), v.epoch
	for _, dir := range dirs {
		v.workers.Add(1)
		go func() {
			defer v.workers.Done()
			l := around.List(m.remote, dir)
			m.mu.Lock()
			defer m.mu.Unlock()
			next := m.lists.Came(dir, l, m.epoch == epoch, m.Now(), m.mostComing())
			if !m.closed() {
				m.view().bring(next)
			}
		}()
	}
}

// mostComing returns how many listings may be prefetched at a time, beside one that the program waits for.
func (m *state) mostComing() int { return int(m.limits.Capacity()) - 1 }

// believes reports whether the call may use a cached answer. It may not if the program is writing the file on the
// remote. A call about content has to ask again about a cached absence if it would have to revalidate a copy.
func (v *View) believes(name string, a remote.Answer) bool {
	if v.written(name) {
		return false
	}
	return a.Known != tree.Absent || !v.insists && !(v.exact && due(v.opt.Revalidate, a.At, v.Now()))
}

// cachedAnswer is Ask for an answer that may be as old as Options.ListTTL.
func (v *View) cachedAnswer(name string) (remote.Answer, error) {
	if _, ok := v.known.answers[name]; !ok {
		if a, ok := v.lists.Answer(name, v.Now()); ok && v.believes(name, a) {
			return a, nil
		}
		v.bring(v.lists.Asked(name)) // Ask runs meanwhile, so that a long listing does not delay the call
	}
	return v.Ask(name)
}

// Invalidate marks a name and everything below it for revalidation: cached answers are dropped, and copies are compared with
// the remote before they are used next, whatever Revalidate says.
func (m *FS) Invalidate(name string) error {
	clean, err := m.Clean(name)
	if err != nil {
		return err
	}
	return m.Do(func(v *View) error {
		v.Doubt(clean)
		return nil
	})
}
