package listcache

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

const second = int64(time.Second)

var file, dir = remote.Answer{Known: tree.Exists, Kind: tree.File}, remote.Answer{Known: tree.Exists, Kind: tree.Dir}

// listing has files, and directories whose names end with a slash.
func listing(names ...string) remote.Listing {
	l := remote.Listing{Entries: map[string]remote.Answer{}}
	for _, name := range names {
		if base, isDir := cutSlash(name); isDir {
			l.Entries[base] = dir
		} else {
			l.Entries[base] = file
		}
	}
	return l
}

func cutSlash(name string) (string, bool) {
	if n := len(name) - 1; name[n] == '/' {
		return name[:n], true
	}
	return name, false
}

func TestWhatIsKeptEnds(t *testing.T) {
	t.Parallel()
	for ttl, lasts := range map[time.Duration]int64{0: int64(DefaultTTL), time.Minute: 60 * second} {
		c := New(ttl, 0)
		c.KeepList("d", listing("f"), 10)
		c.KeepAnswer("x", file, 10)
		for _, now := range []int64{10, 10 + lasts - 1} {
			l, ok := c.List("d", now)
			require.True(t, ok)
			require.EqualValues(t, 10, l.At)
			a, ok := c.Answer("d/f", now)
			require.True(t, ok)
			require.Equal(t, tree.Exists, a.Known)
			require.EqualValues(t, 10, a.At)
			a, ok = c.Answer("d/none", now)
			require.True(t, ok)
			require.Equal(t, tree.Absent, a.Known)
			require.ErrorIs(t, a.Err, fs.ErrNotExist)
			_, ok = c.Answer("x", now)
			require.True(t, ok)
			_, ok = c.Answer("other", now)
			require.False(t, ok)
			require.True(t, c.Current(10, now))
		}
		for _, now := range []int64{10 + lasts, 9} { // too late, or the clock was set back
			c.KeepList("d", listing("f"), 10)
			_, ok := c.List("d", now)
			require.False(t, ok)
			_, ok = c.Answer("x", now)
			require.False(t, ok)
			require.False(t, c.Current(10, now))
		}
	}
}

func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	c := New(-1, 0)
	c.KeepList("d", listing("a/", "b/"), 1)
	c.KeepAnswer("d", dir, 1)
	_, ok := c.List("d", 1)
	require.False(t, ok)
	_, ok = c.Answer("d", 1)
	require.False(t, ok)
	require.False(t, c.Current(1, 1))
	for range 2 * askedOften {
		require.Empty(t, c.Asked("d/f"))
	}
	require.Empty(t, c.Listed("d/a", 1, 100))
}

func TestErrorsAndUnknownsAreNotKept(t *testing.T) {
	t.Parallel()
	c := New(0, 0)
	c.KeepList("d", remote.Listing{Err: errors.New("no answer")}, 1)
	c.KeepAnswer("x", remote.Answer{Err: errors.New("no answer")}, 1)
	_, ok := c.List("d", 1)
	require.False(t, ok)
	_, ok = c.Answer("x", 1)
	require.False(t, ok)
}

// What was known before this side changed the remote, or before the process began, is not current.
func TestClear(t *testing.T) {
	t.Parallel()
	c := New(0, 5)
	require.True(t, c.Current(5, 5))
	require.False(t, c.Current(4, 5))
	c.KeepList("d", listing("f"), 6)
	c.KeepAnswer("x", file, 6)
	c.Clear(7)
	_, ok := c.Answer("d/f", 7)
	require.False(t, ok)
	_, ok = c.Answer("x", 7)
	require.False(t, ok)
	require.False(t, c.Current(7, 8))
	require.True(t, c.Current(8, 8))
}

// A directory that is asked about name by name is listed once.
func TestAskedOften(t *testing.T) {
	t.Parallel()
	c := New(0, 0)
	var wanted []string
	for i := range 3 * askedOften {
		wanted = append(wanted, c.Asked(fmt.Sprintf("d/f%d", i))...)
	}
	require.Equal(t, []string{"d"}, wanted)
	done := c.Coming("d")
	select {
	case <-done:
		t.Fatal("it has not come yet")
	default:
	}
	require.Empty(t, c.Came("d", listing("f0", "sub/"), true, 1, 100), "that is no walk")
	<-done
	require.Nil(t, c.Coming("d"))
	_, ok := c.Answer("d/f0", 1)
	require.True(t, ok)
	require.Empty(t, c.Asked("."))

	for range askedOften {
		wanted = c.Asked("e/f")
	}
	require.Equal(t, []string{"e"}, wanted)
	c.Came("e", listing("f"), false, 1, 100)
	_, ok = c.List("e", 1)
	require.False(t, ok, "the remote was changed meanwhile")
}

// The bounds hold, and what is dropped is what was not used for the longest time.
func TestBounds(t *testing.T) {
	t.Parallel()
	c := New(0, 0)
	many := remote.Listing{Entries: map[string]remote.Answer{}}
	for i := range 1000 {
		many.Entries[fmt.Sprint(i)] = file
	}
	for i := range 200 {
		c.KeepList(fmt.Sprint("d", i), many, 1)
		_, ok := c.List("d0", 1)
		require.True(t, ok, "it is used all the time")
		require.LessOrEqual(t, c.entries, maxEntries)
	}
	_, ok := c.List("d1", 1)
	require.False(t, ok)
	for i := range 2 * maxAnswers {
		c.KeepAnswer(fmt.Sprint("x", i), file, 1)
		require.LessOrEqual(t, len(c.answers), maxAnswers)
	}
}

// A model that keeps everything says whether an answer may be given. The count of entries is that of the lists.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		type said struct {
			at    int64
			known tree.Answer
		}
		c, now := New(0, 0), int64(1)
		answers, lists := map[string]said{}, map[string]map[string]bool{}
		listed := map[string]int64{}
		dirs, names := rapid.SampledFrom([]string{".", "d", "d/e"}), rapid.SampledFrom([]string{"a", "b", "c"})
		rt.Repeat(map[string]func(*rapid.T){
			"pass": func(rt *rapid.T) { now += rapid.Int64Range(0, 4*second).Draw(rt, "time") },
			"clear": func(*rapid.T) {
				c.Clear(now)
				clear(answers)
				clear(lists)
				clear(listed)
			},
			"keep answer": func(rt *rapid.T) {
				name := tree.Join(dirs.Draw(rt, "dir"), names.Draw(rt, "name"))
				a := rapid.SampledFrom([]remote.Answer{file, dir, {Known: tree.Absent, Err: fs.ErrNotExist}}).Draw(rt, "answer")
				c.KeepAnswer(name, a, now)
				answers[name] = said{now, a.Known}
			},
			"keep list": func(rt *rapid.T) {
				d := dirs.Draw(rt, "dir")
				all := rapid.SliceOfDistinct(names, rapid.ID[string]).Draw(rt, "names")
				c.KeepList(d, listing(all...), now)
				lists[d], listed[d] = map[string]bool{}, now
				for _, name := range all {
					lists[d][name] = true
				}
			},
			"": func(rt *rapid.T) {
				entries := 0
				for _, l := range c.lists {
					entries += 1 + len(l.Entries)
				}
				require.Equal(rt, entries, c.entries)
				for _, d := range []string{".", "d", "d/e"} {
					for _, name := range []string{"a", "b", "c"} {
						path := tree.Join(d, name)
						a, ok := c.Answer(path, now)
						want, known := answers[path]
						if known = known && now-want.at < int64(DefaultTTL); !known {
							if at, has := listed[d]; has && now-at < int64(DefaultTTL) {
								want, known = said{at, tree.Absent}, true
								if lists[d][name] {
									want.known = tree.Exists
								}
							}
						}
						require.Equal(rt, known, ok, path)
						if ok {
							require.Equal(rt, want, said{a.At, a.Known}, path)
						}
					}
				}
			},
		})
	})
}
