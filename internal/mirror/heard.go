package mirror

import (
	"io/fs"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// heard is what the remote has said lately, for as long as Options.ListTTL lets it be used again. Guarded by state.mu.
type heard struct {
	ttl     int64
	lists   map[string]listing // by path of the directory on the remote
	entries int                // in all lists
	answers map[string]Answer  // about single names
	asked   map[string]int     // by directory: how often it was asked about single names
	coming  map[string]bool    // directories that are being listed
}

// The bounds of what is kept: some ten megabytes. One list is kept however long it is.
const (
	maxHeardEntries = 50_000
	maxHeardAnswers = 10_000
)

// askedOften is after how many questions about single names in a directory its list is asked for: it answers those
// that follow.
const askedOften = 4

func newHeard(ttl time.Duration) *heard {
	return &heard{ttl: int64(ttl), lists: map[string]listing{}, answers: map[string]Answer{},
		asked: map[string]int{}, coming: map[string]bool{}}
}

// clear forgets all, since the remote is not what it was.
func (h *heard) clear() {
	clear(h.lists)
	clear(h.answers)
	clear(h.asked)
	h.entries = 0
}

// list is a list that may be used again.
func (h *heard) list(dir string, now int64) (listing, bool) {
	l, ok := h.lists[dir]
	if ok && !h.fresh(l.at, now) {
		h.drop(dir)
		ok = false
	}
	return l, ok
}

// answer is an answer that may be used again: about the name itself, or the list of its directory.
func (h *heard) answer(name string, now int64) (Answer, bool) {
	if a, ok := h.answers[name]; ok && h.fresh(a.At, now) {
		return a, true
	}
	dir, base := tree.Split(name)
	l, ok := h.list(dir, now)
	if !ok {
		return Answer{}, false
	}
	a, ok := l.entries[base]
	if !ok {
		a = Answer{Known: tree.Absent, Err: fs.ErrNotExist}
	}
	a.At = l.at
	return a, true
}

// fresh says whether what was heard at a time may be used again.
func (h *heard) fresh(at, now int64) bool { return now >= at && now-at < h.ttl }

func (h *heard) keepList(dir string, l listing, now int64) {
	if h.ttl == 0 || l.err != nil {
		return
	}
	h.drop(dir)
	for other, old := range h.lists {
		if !h.fresh(old.at, now) || h.entries+len(l.entries) > maxHeardEntries {
			h.drop(other)
		}
	}
	l.at = now
	h.lists[dir] = l
	h.entries += len(l.entries)
}

func (h *heard) drop(dir string) {
	h.entries -= len(h.lists[dir].entries)
	delete(h.lists, dir)
}

func (h *heard) keepAnswer(name string, a Answer, now int64) {
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
	if h.asked[dir] < askedOften || h.coming[dir] {
		return dir, false
	}
	h.asked[dir], h.coming[dir] = 0, true
	return dir, true
}

// listAhead lists a directory while others go on to ask about single names in it: that is no slower if the list is
// long.
func (m *FS) listAhead(dir string, epoch uint64) {
	m.workers.Add(1)
	go func() {
		defer m.workers.Done()
		l := m.With(m.stop).askList(dir)
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.heard.coming, dir)
		if m.epoch == epoch {
			m.heard.keepList(dir, l, m.Now())
		}
	}()
}

// Heard is Ask for an answer that may be as old as Options.ListTTL.
func (v *View) Heard(name string) (Answer, error) {
	if _, ok := v.known.answers[name]; !ok {
		if a, ok := v.heard.answer(name, v.Now()); ok {
			return a, nil
		}
		if dir, often := v.heard.often(name); often {
			v.listAhead(dir, v.epoch)
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
