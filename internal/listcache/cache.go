// Package listcache keeps what a remote has said lately: lists of directories, attributes, and that something is not there.
// It also decides which directories a program that walks a tree will list next. It asks nobody and knows no clock: all times
// are arguments, in nanoseconds since 1970.
//
// Paths are those on the remote, clean and relative to its root, which is ".".
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

// DefaultTTL is long enough for a walk to use what was prefetched, and short enough for people who change files in two places.
const DefaultTTL = 5 * time.Second

// The bounds of what is kept: some ten megabytes. One list is kept however long it is.
const (
	maxEntries = 50_000
	maxAnswers = 10_000
)

// askedOften is after how many questions about single names in a directory its list is asked for: it answers those that
// follow.
const askedOften = 4

// Cache holds lists and answers for as long as they may be used again. It is not safe for concurrent use.
type Cache struct {
	ttl      int64
	lists    map[string]*list // by path of the directory
	entries  int              // in all lists, and one for each
	uses     uint64           // of lists
	answers  map[string]remote.Answer
	asked    map[string]int // by directory: how often it was asked about single names
	coming   map[string]coming
	cleared  int64 // when Clear was called last, or New: what was known before is not current
	prefetch prefetch
}

// list is a list that may be used again.
type list struct {
	remote.Listing
	dirs   []string // the names of the directories in it, sorted
	walked int      // how many of them were listed, or passed over by who lists them in that order
	used   uint64   // when, in Cache.uses
}

// coming is a list that was asked for ahead.
type coming struct {
	done     chan struct{} // closed when it has come, or failed to
	prefetch bool          // a walk will need it
}

// New returns an empty Cache that keeps things for a time; 0 stands for DefaultTTL, and with a negative one nothing is kept.
// What was known before now is not current: an earlier process may not have recorded all that it changed.
func New(ttl time.Duration, now int64) *Cache {
	ttl = max(0, cmp.Or(ttl, DefaultTTL))
	return &Cache{ttl: int64(ttl), cleared: now - 1, lists: map[string]*list{}, answers: map[string]remote.Answer{},
		asked: map[string]int{}, coming: map[string]coming{}, prefetch: newPrefetch()}
}

// Clear forgets all, since the remote is not what it was.
func (c *Cache) Clear(now int64) {
	c.cleared = now
	clear(c.lists)
	clear(c.answers)
	clear(c.asked)
	clear(c.prefetch.unused)
	c.entries = 0
}

// List returns the list of a directory if it may be used again.
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

// Answer returns an answer that may be used again: about the name itself, or from the list of its directory.
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

// fresh says whether what was said at a time may be used again.
func (c *Cache) fresh(at, now int64) bool { return now >= at && now-at < c.ttl }

// Current says whether what has been known from elsewhere since a time need not be asked about.
func (c *Cache) Current(at, now int64) bool { return at > c.cleared && c.fresh(at, now) }

// KeepList keeps a list, unless it is an error.
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

// makeRoom drops what may not be used again, and then the lists that were not used for the longest time, until so many
// entries are left at most.
func (c *Cache) makeRoom(entries int, now int64) {
	byUse := func(a, b string) int { return cmp.Compare(c.lists[a].used, c.lists[b].used) }
	for _, dir := range slices.SortedFunc(maps.Keys(c.lists), byUse) {
		if c.entries > entries || !c.fresh(c.lists[dir].At, now) {
			c.drop(dir)
		}
	}
}

// drop forgets a list, also as one that is there for a walk to come.
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

// KeepAnswer keeps an answer, unless nothing is known by it.
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

// Asked takes note that the remote is asked about a single name. If its directory has been asked about so often that it is to
// be listed, that is what it returns; the caller then calls [Cache.Came].
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

// Coming returns a channel that is closed when the list of a directory, which was asked for ahead, has come or failed to; nil
// if none was.
func (c *Cache) Coming(dir string) <-chan struct{} { return c.coming[dir].done }

// Came takes a list that [Cache.Asked], [Cache.Listed] or Came wanted. It is kept if it is no error, and current: true of the
// remote as it is now. What Came returns is to be listed next; most is how many may be on their way at a time.
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
