package mirror

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// heard is what the remote has said lately, for as long as Options.ListTTL lets it be used again. Guarded by state.mu.
type heard struct {
	ttl     int64
	lists   map[string]*heardList    // by path of the directory on the remote
	entries int                      // in all lists, and one for each
	uses    uint64                   // of lists
	answers map[string]remote.Answer // about single names
	asked   map[string]int           // by directory: how often it was asked about single names
	coming  map[string]chan struct{}
	cleared int64 // when this side changed the remote last, or began: what was known of it before is not current
	ahead   ahead
}

// heardList is a list that may be used again.
type heardList struct {
	remote.Listing
	dirs   []string // the names of the directories in it, sorted
	walked int      // how many of them were listed, or passed over by who lists them in that order
	used   uint64   // when, in heard.uses
}

// defaultListTTL is long enough for a walk to use what was listed ahead of it, and short enough for people who change files
// in two places.
const defaultListTTL = 5 * time.Second

// The bounds of what is kept: some ten megabytes. One list is kept however long it is.
const (
	maxHeardEntries = 50_000
	maxHeardAnswers = 10_000
)

// askedOften is after how many questions about single names in a directory its list is asked for: it answers those
// that follow.
const askedOften = 4

// newHeard begins with nothing: an earlier process may not have recorded all that it changed.
func newHeard(ttl time.Duration, now int64) *heard {
	ttl = max(0, cmp.Or(ttl, defaultListTTL))
	return &heard{ttl: int64(ttl), cleared: now - 1, lists: map[string]*heardList{}, answers: map[string]remote.Answer{},
		asked: map[string]int{}, coming: map[string]chan struct{}{}, ahead: newAhead()}
}

// clear forgets all, since the remote is not what it was.
func (h *heard) clear(now int64) {
	h.cleared = now
	clear(h.lists)
	clear(h.answers)
	clear(h.asked)
	clear(h.ahead.unused)
	h.entries = 0
}

// list is a list that may be used again.
func (h *heard) list(dir string, now int64) (remote.Listing, bool) {
	l, ok := h.lists[dir]
	if !ok {
		return remote.Listing{}, false
	}
	if !h.fresh(l.At, now) {
		h.drop(dir)
		return remote.Listing{}, false
	}
	h.uses++
	l.used = h.uses
	return l.Listing, true
}

// answer is an answer that may be used again: about the name itself, or the list of its directory.
func (h *heard) answer(name string, now int64) (remote.Answer, bool) {
	if a, ok := h.answers[name]; ok && h.fresh(a.At, now) {
		return a, true
	}
	dir, base := tree.Split(name)
	l, ok := h.list(dir, now)
	if !ok {
		return remote.Answer{}, false
	}
	a, ok := l.Entries[base]
	if !ok {
		a = remote.Answer{Known: tree.Absent, Err: fs.ErrNotExist}
	}
	a.At = l.At
	return a, true
}

// fresh says whether what was heard at a time may be used again.
func (h *heard) fresh(at, now int64) bool { return now >= at && now-at < h.ttl }

// current says whether what the tree has known since a time need not be asked about.
func (h *heard) current(at, now int64) bool { return at > h.cleared && h.fresh(at, now) }

func (h *heard) keepList(dir string, l remote.Listing, now int64) {
	if h.ttl == 0 || l.Err != nil {
		return
	}
	h.forget(dir)
	if h.entries+len(l.Entries) > maxHeardEntries {
		h.makeRoom(maxHeardEntries*3/4-len(l.Entries), now)
	}
	l.At = now
	h.uses++
	h.lists[dir] = &heardList{Listing: l, dirs: dirsOf(l), used: h.uses}
	h.entries += 1 + len(l.Entries)
}

// makeRoom drops what may not be used again, and then the lists that were not used for the longest time, until so many
// entries are left at most.
func (h *heard) makeRoom(entries int, now int64) {
	byUse := func(a, b string) int { return cmp.Compare(h.lists[a].used, h.lists[b].used) }
	for _, dir := range slices.SortedFunc(maps.Keys(h.lists), byUse) {
		if h.entries > entries || !h.fresh(h.lists[dir].At, now) {
			h.drop(dir)
		}
	}
}

// drop forgets a list, also as one that is there for a walk to come.
func (h *heard) drop(dir string) {
	h.forget(dir)
	delete(h.ahead.unused, dir)
}

func (h *heard) forget(dir string) {
	if l, ok := h.lists[dir]; ok {
		h.entries -= 1 + len(l.Entries)
		delete(h.lists, dir)
	}
}

func (h *heard) keepAnswer(name string, a remote.Answer, now int64) {
	if h.ttl == 0 || a.Known == tree.Unknown {
		return
	}
	if len(h.answers) >= maxHeardAnswers {
		clear(h.answers)
	}
	a.At = now
	h.answers[name] = a
}

// often says whether a directory has been asked about single names so often that it is to be listed; once.
func (h *heard) often(name string) (dir string, yes bool) {
	if h.ttl == 0 || name == "." {
		return "", false
	}
	dir, _ = tree.Split(name)
	h.asked[dir]++
	if h.asked[dir] < askedOften || h.coming[dir] != nil {
		return dir, false
	}
	h.asked[dir] = 0
	return dir, true
}

// bringList has a directory listed while the program goes on. came is called under the lock and told whether the list
// is kept.
func (v *View) bringList(dir string, came func(m *FS, kept bool)) {
	m, around, epoch, done := v.bind(v.stop, nil), v.detours(), v.epoch, make(chan struct{})
	v.heard.coming[dir] = done
	v.workers.Add(1)
	go func() {
		defer v.workers.Done()
		l := around.askList(m, dir)
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.heard.coming, dir)
		close(done)
		kept := m.epoch == epoch && l.Err == nil
		if kept {
			m.heard.keepList(dir, l, m.Now())
		}
		came(m, kept)
	}()
}

// believes says whether the call may use an answer that was heard before: not about a file that is being written there.
// About what is not there a call that is about contents is told anew when a copy would have to be compared.
func (v *View) believes(name string, a remote.Answer) bool {
	if v.written(name) {
		return false
	}
	return a.Known != tree.Absent || !v.insists && !(v.exact && due(v.opt.Revalidate, a.At, v.Now()))
}

// Heard is Ask for an answer that may be as old as Options.ListTTL.
func (v *View) Heard(name string) (remote.Answer, error) {
	if _, ok := v.known.answers[name]; !ok {
		if a, ok := v.heard.answer(name, v.Now()); ok && v.believes(name, a) {
			return a, nil
		}
		if dir, often := v.heard.often(name); often {
			v.bringList(dir, func(*FS, bool) {}) // asking goes on meanwhile: that is no slower if the list is long
		}
	}
	return v.Ask(name)
}

// Invalidate has the remote asked again about a name and all below it: what was heard is forgotten, and copies are
// compared with the remote's versions before they are used next, whatever Revalidate says.
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
