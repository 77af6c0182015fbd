// Package listcache caches answers of a remote for a short time: directory listings, attributes, and the absence of
// names. It also decides which listings to prefetch for a program that walks a tree. It makes no requests and has no
// clock: all times are arguments, in nanoseconds since 1970.
//
// Paths are paths on the remote, clean and relative to its root, which is ".".
package listcache

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// DefaultTTL is long enough for a walk to use the prefetched listings, and short enough for people who change files in
// two places.
const DefaultTTL = 5 * time.Second

// Bounds of the cache: about twenty megabytes. One listing is kept whatever its length.
const (
	maxEntries = 100_000
	maxAnswers = 10_000
)

// askedOften is after how many questions about single names in a directory its listing is fetched, to answer the
// following questions.
const askedOften = 4

// Cache holds listings and answers while they may be reused. It is not safe for concurrent use.
type Cache struct {
	ttl      int64
	lists    map[string]*list // by path of the directory
	entries  int              // in all listings, plus one for each listing
	uses     uint64           // counts the uses of listings
	answers  map[string]remote.Answer
	asked    map[string]int // by directory: questions about single names in it
	coming   map[string]coming
	cleared  int64 // time of the last Clear, or of New: earlier knowledge is not current
	prefetch prefetch
}

// list is a listing that may be reused.
type list struct {
	remote.Listing
	dirs   []string // the names of its directories, sorted
	walked int      // how many of dirs a walk in this order has listed or passed
	used   uint64   // Cache.uses at the last use
}

// coming is a listing that is being fetched in advance.
type coming struct {
	done     chan struct{} // closed when it has arrived or failed
	prefetch bool          // fetched for a walk
}

// New returns an empty Cache that keeps answers for ttl. 0 stands for DefaultTTL; with a negative ttl nothing is kept.
// Knowledge from before now is not current: an earlier process may not have recorded all of its changes.
func New(ttl time.Duration, now int64) *Cache {
	ttl = max(0, cmp.Or(ttl, DefaultTTL))
	return &Cache{ttl: int64(ttl), cleared: now - 1, lists: map[string]*list{}, answers: map[string]remote.Answer{},
		asked: map[string]int{}, coming: map[string]coming{}, prefetch: newPrefetch()}
}

// Clear forgets everything, because the remote has changed.
func (c *Cache) Clear(now int64) {
	c.cleared = now
	clear(c.lists)
	clear(c.answers)
	clear(c.asked)
	clear(c.prefetch.unused)
	c.entries = 0
}

// List returns the listing of a directory if it may be reused.
func (c *Cache) List(dir string, now int64) (remote.Listing, bool) {
	l, ok := c.lists[dir]
	if !ok {
		return remote.Listing{}, false
	}
	if !c.fresh(l.At, now) {
		c.drop(dir)
		return remote.Listing{}, false
	}
	c.uses++
	l.used = c.uses
	return l.Listing, true
}

// Answer returns an answer that may be reused, either about the name itself or from the listing of its directory.
func (c *Cache) Answer(name string, now int64) (remote.Answer, bool) {
	if a, ok := c.answers[name]; ok && c.fresh(a.At, now) {
		return a, true
	}
	dir, base := tree.Split(name)
	l, ok := c.List(dir, now)
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

// fresh reports whether an answer from the time at may be reused.
func (c *Cache) fresh(at, now int64) bool { return now >= at && now-at < c.ttl }

// Current reports whether knowledge of another source, from the time at, may be used without asking the remote.
func (c *Cache) Current(at, now int64) bool { return at > c.cleared && c.fresh(at, now) }

// KeepList adds a listing, unless it is an error.
func (c *Cache) KeepList(dir string, l remote.Listing, now int64) {
	if c.ttl == 0 || l.Err != nil {
		return
	}
	c.forget(dir)
	if c.entries+len(l.Entries) > maxEntries {
		c.makeRoom(maxEntries*3/4-len(l.Entries), now)
	}
	l.At = now
	c.uses++
	c.lists[dir] = &list{Listing: l, dirs: l.Dirs(), used: c.uses}
	c.entries += 1 + len(l.Entries)
}

// makeRoom drops listings that may not be reused any more, and the least recently used ones, until at most that many
// entries are left.
func (c *Cache) makeRoom(entries int, now int64) {
	byUse := func(a, b string) int { return cmp.Compare(c.lists[a].used, c.lists[b].used) }
	for _, dir := range slices.SortedFunc(maps.Keys(c.lists), byUse) {
		if c.entries > entries || !c.fresh(c.lists[dir].At, now) {
			c.drop(dir)
		}
	}
}

// drop forgets a listing, and that it was prefetched.
func (c *Cache) drop(dir string) {
	c.forget(dir)
	delete(c.prefetch.unused, dir)
}

func (c *Cache) forget(dir string) {
	if l, ok := c.lists[dir]; ok {
		c.entries -= 1 + len(l.Entries)
		delete(c.lists, dir)
	}
}

// KeepAnswer adds an answer, unless it is Unknown.
func (c *Cache) KeepAnswer(name string, a remote.Answer, now int64) {
	if c.ttl == 0 || a.Known == tree.Unknown {
		return
	}
	if len(c.answers) >= maxAnswers {
		clear(c.answers)
	}
	a.At = now
	c.answers[name] = a
}

// Asked records a question to the remote about a single name. It returns the name's directory if that has been asked
// about so often that it should be listed. The caller then lists it and calls [Cache.Came].
func (c *Cache) Asked(name string) (list []string) {
	if c.ttl == 0 || name == "." {
		return nil
	}
	dir, _ := tree.Split(name)
	c.asked[dir]++
	if c.asked[dir] < askedOften || c.isComing(dir) {
		return nil
	}
	c.asked[dir] = 0
	c.expect(dir, false)
	return []string{dir}
}

func (c *Cache) isComing(dir string) bool {
	_, yes := c.coming[dir]
	return yes
}

func (c *Cache) expect(dir string, prefetch bool) {
	c.coming[dir] = coming{make(chan struct{}), prefetch}
}

// Coming returns a channel that is closed when the listing of a directory, which is being fetched in advance, has
// arrived or failed; nil if there is none.
func (c *Cache) Coming(dir string) <-chan struct{} { return c.coming[dir].done }

// Came adds a listing that [Cache.Asked], [Cache.Listed] or Came has requested. It keeps the listing if that is no
// error and current, that is, true of the remote as it is now. It returns the directories to list next; most bounds how
// many may be in flight.
func (c *Cache) Came(dir string, l remote.Listing, current bool, now int64, most int) (next []string) {
	came := c.coming[dir]
	delete(c.coming, dir)
	close(came.done)
	keep := current && l.Err == nil
	if keep {
		c.KeepList(dir, l, now)
	}
	if !came.prefetch {
		return nil
	}
	return c.prefetched(dir, keep, now, most)
}
