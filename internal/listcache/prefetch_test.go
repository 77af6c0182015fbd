package listcache

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// walker is a program that lists one directory after the other, and a remote whose answers take one round trip.
type walker struct {
	c      *Cache
	lists  map[string]remote.Listing // all there are
	most   int
	trips  int // that the program has waited for
	asked  int // lists, ahead or not
	coming []string
}

func (w *walker) list(dir string) remote.Listing {
	w.want(w.c.Listed(dir, 1, w.most))
	if l, ok := w.c.List(dir, 1); ok {
		return l
	}
	w.trips++
	if w.c.Coming(dir) == nil {
		w.asked++
		w.arrive()
		w.c.KeepList(dir, w.lists[dir], 1)
		return w.lists[dir]
	}
	w.arrive()
	l, _ := w.c.List(dir, 1)
	return l
}

func (w *walker) want(dirs []string) {
	w.asked += len(dirs)
	w.coming = append(w.coming, dirs...)
}

// arrive is the end of a round trip: all that was asked for before has come.
func (w *walker) arrive() {
	came := w.coming
	w.coming = nil
	for _, dir := range came {
		w.want(w.c.Came(dir, w.lists[dir], true, 1, w.most))
	}
}

func (w *walker) walk(dir string) (visited int) {
	l := w.list(dir)
	for _, name := range slices.Sorted(slices.Values(l.Dirs())) {
		visited += w.walk(tree.Join(dir, name))
	}
	return 1 + visited
}

// wide is a tree of so many levels, with so many directories in each directory.
func wide(lists map[string]remote.Listing, dir string, levels, width int) map[string]remote.Listing {
	var names []string
	for i := range width {
		if levels > 0 {
			name := fmt.Sprintf("%03d", i)
			names = append(names, name+"/")
			wide(lists, tree.Join(dir, name), levels-1, width)
		}
	}
	lists[dir] = listing(append(names, "file")...)
	return lists
}

// A walk waits a few times for each level, and no directory is asked for twice.
func TestWalkWaitsForLevels(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ levels, width, trips int }{{1, 100, 4}, {2, 10, 8}, {3, 5, 12}} {
		w := &walker{c: New(0, 0), lists: wide(map[string]remote.Listing{}, ".", size.levels, size.width), most: 2000}
		require.Equal(t, len(w.lists), w.walk("."))
		require.Equal(t, len(w.lists), w.asked)
		require.LessOrEqual(t, w.trips, size.trips, "%+v", size)
	}
}

// Never are more lists on their way than may be.
func TestPrefetchIsBounded(t *testing.T) {
	t.Parallel()
	for _, most := range []int{0, 1, 7} {
		w := &walker{c: New(0, 0), lists: wide(map[string]remote.Listing{}, ".", 2, 20), most: most}
		w.list(".")
		for _, name := range []string{"000", "001", "002"} {
			w.list(name)
			require.LessOrEqual(t, len(w.coming), most)
		}
	}
}

// A program that lists here and there, and not in order, is no walk.
func TestNoWalk(t *testing.T) {
	t.Parallel()
	w := &walker{c: New(0, 0), lists: wide(map[string]remote.Listing{}, ".", 1, 50), most: 100}
	w.list(".")
	for _, name := range []string{"030", "020", "010"} {
		w.list(name)
	}
	require.Equal(t, 4, w.asked)
}

// One that is too slow for what is prefetched gets less of it; one that goes on gets more again.
func TestPrefetchFollowsTheProgram(t *testing.T) {
	t.Parallel()
	c := New(0, 0)
	c.KeepList(".", listing("a/", "b/", "c/", "d/"), 0)
	now := int64(1)
	require.Equal(t, []string{"b", "c", "d"}, c.Listed("a", now, 100))
	for _, name := range []string{"b", "c", "d"} {
		c.Came(name, listing("f"), true, now, 100)
	}
	now += int64(DefaultTTL)
	c.KeepList(".", listing("a/", "b/", "c/", "d/"), now)
	c.Listed("b", now, 100)
	require.Equal(t, maxPrefetched/2, c.prefetch.most)
	c.KeepList("c", listing("f"), now)
	c.Listed("c", now, 100)
	require.Equal(t, maxPrefetched/2+1, c.prefetch.most)
}

// What failed is not asked for again before the program wants it.
func TestFailedPrefetch(t *testing.T) {
	t.Parallel()
	c := New(0, 0)
	c.KeepList(".", listing("a/", "b/", "c/"), 1)
	require.Equal(t, []string{"b", "c"}, c.Listed("a", 1, 100))
	require.Empty(t, c.Came("b", remote.Listing{}, false, 1, 100))
	require.Empty(t, c.Came("c", listing("f"), true, 1, 100))
	_, ok := c.List("b", 1)
	require.False(t, ok)

	c.KeepList("d", listing("a/", "b/"), 1)
	require.Equal(t, []string{"d/b"}, c.Listed("d/a", 1, 100))
	require.Empty(t, c.Came("d/b", remote.Listing{Err: errors.New("no answer")}, true, 1, 100))
	_, ok = c.List("d/b", 1)
	require.False(t, ok)
}
