package listcache

import (
	"slices"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A program that walks a tree has one directory listed after the other, each before those below it and in the order of
// their names. For one that begins to do so, the directories that come next are listed ahead, many at a time: then it
// waits a few times for each level of the tree, not for each directory. Since a list that was asked for before the call
// that it answers is one that is used again, nothing is prefetched if nothing is kept.

// The bounds of what is prefetched, and of how many lists are coming at a time.
const (
	maxPrefetched      = 128
	maxPrefetchEntries = 20_000
)

// entrySize is what a directory of a server grows by with each entry, at least; the size that it states is a hint how
// long its list will be.
const entrySize = 32

// prefetchLooks is how many directories are looked at for those that come next.
const prefetchLooks = 4 * maxPrefetched

// prefetch is what is known of a walk. It is a guess: what it is wrong about costs requests, nothing else.
type prefetch struct {
	at     string         // the directory that was listed last
	unused map[string]int // what comes next and was prefetched, or is coming, with the number of entries
	most   int            // of them there may be
	likely int            // how many entries a list has, by those that came last
}

func newPrefetch() prefetch { return prefetch{unused: map[string]int{}, most: maxPrefetched} }

// Listed takes note that the program has a directory listed. If it seems to walk, it returns the directories that it will list
// next, to be listed now and given to [Cache.Came]; most is how many may be on their way at a time.
func (c *Cache) Listed(dir string, now int64, most int) (next []string) {
	if c.ttl == 0 || !c.walks(dir, now) {
		return nil
	}
	c.prefetch.at = dir
	return c.toPrefetch(now, most)
}

// toPrefetch is what is missing of what comes next.
func (c *Cache) toPrefetch(now int64, most int) (missing []string) {
	most = min(c.prefetch.most, most)
	next, entries, looks := map[string]int{}, 0, prefetchLooks
	c.following(c.prefetch.at, func(dir string, size int64) bool {
		looks--
		n, prefetched := c.prefetch.unused[dir]
		if !prefetched {
			l := c.lists[dir]
			if l != nil && c.fresh(l.At, now) || c.isComing(dir) {
				return looks > 0
			}
			n = max(c.prefetch.likely, int(min(size/entrySize, maxEntries)))
		}
		if len(next) >= most || !prefetched && len(c.coming) >= most {
			return false
		}
		if entries += n; entries > maxPrefetchEntries {
			return false
		}
		next[dir] = n
		if !prefetched {
			c.expect(dir, true)
			missing = append(missing, dir)
		}
		return looks > 0
	})
	c.prefetch.unused = next
	return missing
}

// prefetched takes note of a list that has come, or failed to. One that failed is not asked for again before the walk gets
// there.
func (c *Cache) prefetched(dir string, kept bool, now int64, most int) (next []string) {
	p, n := &c.prefetch, 0
	if kept {
		n = len(c.lists[dir].Entries)
		p.likely = (3*p.likely + n) / 4
	}
	if _, ok := p.unused[dir]; ok {
		p.unused[dir] = n
	}
	if !kept {
		return nil
	}
	return c.toPrefetch(now, most)
}

// walks takes note that a directory is listed, and says whether that looks like a part of a walk: it is the first one
// in its directory or the one behind it, or one that comes after others that were listed.
func (c *Cache) walks(dir string, now int64) bool {
	if _, ok := c.prefetch.unused[dir]; ok {
		delete(c.prefetch.unused, dir)
		if l := c.lists[dir]; l != nil && !c.fresh(l.At, now) { // the walk is too slow
			c.prefetch.most = max(1, c.prefetch.most/2)
		} else {
			c.prefetch.most = min(c.prefetch.most+1, maxPrefetched)
		}
	}
	if dir == "." {
		return false
	}
	up, base := tree.Split(dir)
	l := c.lists[up]
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
func (c *Cache) following(dir string, do func(dir string, size int64) bool) {
	var below func(dir string, from int) bool
	below = func(dir string, from int) bool {
		l := c.lists[dir]
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
		if l := c.lists[up]; l != nil {
			i, found := slices.BinarySearch(l.dirs, base)
			if from = i; found {
				from++
			}
		}
		dir = up
	}
}
