package mirror

import (
	"slices"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A program that walks a tree has one directory listed after the other, each before those below it and in the order of
// their names. One that begins to do so has the directories that come next listed ahead of it, many at a time: then it
// waits a few times for each level of the tree, not for each directory. Since a list that was asked for before the call
// that it answers is one that is used again, there is no listing ahead if Options.ListTTL forbids that.

// The bounds of what is listed ahead, and of how many lists are coming at a time.
const (
	maxAheadLists   = 128
	maxAheadEntries = 20_000
)

// entrySize is what a directory of a server grows by with each entry, at least; the size that it states is a hint how
// long its list will be.
const entrySize = 32

// aheadLooks is how many directories are looked at for those that come next.
const aheadLooks = 4 * maxAheadLists

// ahead is what is known of a walk. It is a guess: what it is wrong about costs requests, nothing else.
type ahead struct {
	at     string         // the directory that was listed last
	unused map[string]int // what comes next and was listed ahead, or is being so, with the number of entries
	most   int            // of them there may be
	likely int            // how many entries a list has, by those that came last
}

func newAhead() ahead { return ahead{unused: map[string]int{}, most: maxAheadLists} }

// dirsOf are the names of the directories in a list, sorted.
func dirsOf(l remote.Listing) (dirs []string) {
	for name, a := range l.Entries {
		if a.Kind == tree.Dir {
			dirs = append(dirs, name)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// listAhead takes note that the program has a directory listed, and has those listed that will come next if it walks.
func (v *View) listAhead(dir string) {
	h := v.heard
	if h.ttl == 0 || !h.walks(dir, v.Now()) {
		return
	}
	h.ahead.at = dir
	v.fillAhead()
}

// fillAhead has listed what is missing of what comes next.
func (v *View) fillAhead() {
	h, now := v.heard, v.Now()
	most := min(h.ahead.most, int(v.Capacity())-1) // and one that the program waits for
	next, entries, looks := map[string]int{}, 0, aheadLooks
	h.following(h.ahead.at, func(dir string, size int64) bool {
		looks--
		n, ahead := h.ahead.unused[dir]
		if !ahead {
			l := h.lists[dir]
			if l != nil && h.fresh(l.At, now) || h.coming[dir] != nil {
				return looks > 0
			}
			n = max(h.ahead.likely, int(min(size/entrySize, maxHeardEntries)))
		}
		if len(next) >= most || !ahead && len(h.coming) >= most {
			return false
		}
		if entries += n; entries > maxAheadEntries {
			return false
		}
		next[dir] = n
		if !ahead {
			v.bringList(dir, func(m *FS, kept bool) { (&View{FS: m}).cameAhead(dir, kept) })
		}
		return looks > 0
	})
	h.ahead.unused = next
}

// cameAhead takes note of a list that has come, or failed to. One that failed is not asked for again before the walk
// gets there.
func (v *View) cameAhead(dir string, kept bool) {
	a, n := &v.heard.ahead, 0
	if kept {
		n = len(v.heard.lists[dir].Entries)
		a.likely = (3*a.likely + n) / 4
	}
	if _, ok := a.unused[dir]; ok {
		a.unused[dir] = n
	}
	if kept && !v.closed {
		v.fillAhead()
	}
}

// walks takes note that a directory is listed, and says whether that looks like a part of a walk: it is the first one
// in its directory or the one behind it, or one that comes after others that were listed.
func (h *heard) walks(dir string, now int64) bool {
	if _, ok := h.ahead.unused[dir]; ok {
		delete(h.ahead.unused, dir)
		if l := h.lists[dir]; l != nil && !h.fresh(l.At, now) { // the walk is too slow
			h.ahead.most = max(1, h.ahead.most/2)
		} else {
			h.ahead.most = min(h.ahead.most+1, maxAheadLists)
		}
	}
	if dir == "." {
		return false
	}
	up, base := tree.Split(dir)
	l := h.lists[up]
	if l == nil {
		return false
	}
	i, ok := slices.BinarySearch(l.dirs, base)
	if !ok || i < l.walked {
		return false
	}
	began := l.walked > 0
	l.walked = i + 1
	return began || i <= 1
}

// following calls do with the directories that a walk comes to after one, as far as that is known, in its order, and
// with their sizes, until do returns false.
func (h *heard) following(dir string, do func(dir string, size int64) bool) {
	var below func(dir string, from int) bool
	below = func(dir string, from int) bool {
		l := h.lists[dir]
		if l == nil {
			return true
		}
		for _, base := range l.dirs[from:] {
			sub := tree.Join(dir, base)
			if !do(sub, l.Entries[base].Meta.Size) || !below(sub, 0) {
				return false
			}
		}
		return true
	}
	for from := 0; below(dir, from) && dir != "."; {
		up, base := tree.Split(dir)
		if l := h.lists[up]; l != nil {
			i, found := slices.BinarySearch(l.dirs, base)
			if from = i; found {
				from++
			}
		}
		dir = up
	}
}
