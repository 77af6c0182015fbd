package listcache

import (
	"slices"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A program that walks a tree lists one directory after the other, each before those below it and in the order of their
// names. When a walk seems to begin, the listings of the next directories are prefetched, many at a time. So the walk
// waits a few times for each level of the tree, not for each directory. A prefetched listing is a reused answer, so
// nothing is prefetched if answers are not kept.

// Bounds of the prefetched listings that are unused or in flight.
const (
	maxPrefetched      = 128
	maxPrefetchEntries = 20_000
)

// entrySize is the least that each entry adds to the size of a directory on a server, in bytes. So the stated size of a
// directory is a hint about the length of its listing.
const entrySize = 32

// prefetchLooks bounds the directories that are visited to find the next ones.
const prefetchLooks = 4 * maxPrefetched

// prefetch is the state of a walk. It is a guess: a wrong guess costs requests, nothing else.
type prefetch struct {
	at     string         // the directory that was last listed
	unused map[string]int // prefetched directories that the walk has not reached, with their number of entries
	most   int            // bound of unused
	likely int            // expected number of entries of a listing, from the last ones
}

func newPrefetch() prefetch { return prefetch{unused: map[string]int{}, most: maxPrefetched} }

// Listed records that the program lists a directory. If it seems to walk a tree, Listed returns the directories that
// the walk will reach next. The caller lists them and calls [Cache.Came]; most bounds how many may be in flight.
func (c *Cache) Listed(dir string, now int64, most int) (next []string) {
	if c.ttl == 0 || !c.walks(dir, now) {
		return nil
	}
	c.prefetch.at = dir
	return c.toPrefetch(now, most)
}

// toPrefetch returns the next directories of the walk whose listings are missing.
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

// prefetched records a prefetched listing that has arrived or failed. A failed one is not requested again before the
// walk gets there.
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

// walks records that a directory is listed, and reports whether this looks like part of a walk: it is the first or
// second directory in its parent, or it follows one that was listed.
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

// following calls do with the directories that a walk reaches after dir, as far as they are known, in the order of the
// walk and with their sizes, until do returns false.
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
