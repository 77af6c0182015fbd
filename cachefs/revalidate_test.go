package cachefs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

func TestRevalidateNever(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/f", "old")
	w.requireRead("old", "d/f")
	w.put("d/f", "newer")
	w.clock.advance(1000 * time.Hour)
	w.requireAsked(0, func() { w.requireRead("old", "d/f") })
	w.requireOneVersion("old", "d/f")
	require.NoError(t, w.remote.RemoveAll("d"))
	w.requireAsked(0, func() { w.requireRead("old", "d/f") })
	w.requireOneVersion("old", "d/f")
	w.restart()
	w.requireOneVersion("old", "d/f")
}

func TestRevalidateAfterAWhile(t *testing.T) {
	t.Parallel()
	// Whichever call comes first when the time has come, the others tell of the same version.
	calls := map[string]func(w *world){
		"open": func(w *world) { w.read("d/f") },
		"stat": func(w *world) { require.NoError(w, second(w.fs.Stat("d/f"))) },
		"list": func(w *world) { w.listed("d/f") },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{Revalidate: time.Minute})
			w.put("d/f", "old")
			w.requireRead("old", "d/f")
			w.put("d/f", "newer")
			w.clock.advance(time.Minute - 1)
			call(w)
			w.requireOneVersion("old", "d/f")
			w.clock.advance(1)
			call(w)
			w.requireOneVersion("newer", "d/f")
		})
	}
}

func TestRevalidateAlways(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always})
	w.put("d/f", "one")
	w.requireOneVersion("one", "d/f")
	w.put("d/f", "TWO") // the same size
	w.requireOneVersion("TWO", "d/f")
	w.put("d/f", "three")
	w.requireOneVersion("three", "d/f")
	w.requireAsked(1, func() { w.requireRead("three", "d/f") })
	w.requireFetched(0, func() { w.requireRead("three", "d/f") })
	// An older version is another version.
	put(t, w.remote, "d/f", "early", time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC))
	w.requireOneVersion("early", "d/f")
}

// A version that changes right after its answer is neither taken for the one of the answer nor fetched for ever.
func TestVersionChangesBetweenAnswerAndFetch(t *testing.T) {
	t.Parallel()
	for _, revalidate := range []time.Duration{0, time.Minute, Always} {
		w := newWorld(t, Options{Revalidate: revalidate})
		w.put("f", "one")
		opened := 0
		w.line.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Open {
				if opened++; opened == 1 {
					w.put("f", "second")
				}
				if opened > 5 {
					return errDown
				}
			}
			return nil
		})
		w.requireRead("second", "f")
		require.Equal(t, 1, opened, "fetches")
		w.requireOneVersion("second", "f")
	}
}

// With modification times in whole seconds, a version seen within two of them may change once more without showing it.
func TestUnsureVersionIsFetchedOnceMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always})
	now := w.clock.time()
	put(t, w.remote, "f", "one", now)
	w.requireRead("one", "f")
	put(t, w.remote, "f", "two", now) // looks the same
	w.clock.advance(2 * time.Second)
	w.requireFetched(3, func() { w.requireRead("two", "f") })
	w.requireFetched(0, func() { w.requireRead("two", "f") })
	w.clock.advance(time.Hour)
	w.requireFetched(0, func() { w.requireRead("two", "f") })
}

func TestFileReplacedByDirectoryOnTheRemote(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always})
	w.put("d/f", "content")
	w.requireRead("content", "d/f")
	require.NoError(t, w.remote.Remove("d/f"))
	w.put("d/f/inside", "x")
	w.requireRead("x", "d/f/inside")
	fi, err := w.fs.Stat("d/f")
	require.NoError(t, err)
	require.True(t, fi.IsDir())
	require.True(t, w.listed("d/f").IsDir())
	require.NotNil(t, w.listed("d/f/inside"))
}

func TestDirectoryReplacedByFileOnTheRemote(t *testing.T) {
	t.Parallel()
	calls := map[string]func(w *world){
		"open": func(w *world) { w.requireRead("a file", "d/sub") },
		"stat": func(w *world) {
			fi, err := w.fs.Stat("d/sub")
			require.NoError(w, err)
			require.False(w, fi.IsDir())
		},
		"list": func(w *world) { require.False(w, w.listed("d/sub").IsDir()) },
		"below": func(w *world) {
			for _, name := range []string{"d/sub/f", "d/sub/other"} {
				_, err := w.fs.Open(name)
				require.Error(w, err)
				require.NotErrorIs(w, err, ErrUnavailable)
			}
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{Revalidate: Always})
			w.put("d/sub/f", "content")
			w.requireRead("content", "d/sub/f")
			require.NoError(t, w.remote.RemoveAll("d/sub"))
			w.put("d/sub", "a file")
			call(w)
			w.requireOneVersion("a file", "d/sub")
			w.requireLocal("a file", "d/sub")
		})
	}
}

// A change made through the Fs is seen at once, whatever Revalidate says, and drops no copy that it need not.
func TestChangesKeepCopies(t *testing.T) {
	t.Parallel()
	then := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	changes := map[string]struct {
		do   func(w *world) error
		name string // where the copy is afterwards
	}{
		"rename":                 {func(w *world) error { return w.fs.Rename("d/f", "d/g") }, "d/g"},
		"rename of directory":    {func(w *world) error { return w.fs.Rename("d", "e") }, "e/f"},
		"rename into new place":  {func(w *world) error { return w.fs.Rename("d/f", "empty/g") }, "empty/g"},
		"rename onto itself":     {func(w *world) error { return w.fs.Rename("d/f", "d/f") }, "d/f"},
		"rename over":            {func(w *world) error { return w.fs.Rename("d/f", "d/over") }, "d/over"},
		"chmod":                  {func(w *world) error { return w.fs.Chmod("d/f", 0o600) }, "d/f"},
		"chtimes":                {func(w *world) error { return w.fs.Chtimes("d/f", then, then) }, "d/f"},
		"chown":                  {func(w *world) error { return w.fs.Chown("d/f", os.Getuid(), os.Getgid()) }, "d/f"},
		"mkdirall of what is":    {func(w *world) error { return w.fs.MkdirAll("d", 0o755) }, "d/f"},
		"mkdirall below":         {func(w *world) error { return w.fs.MkdirAll("d/new/sub", 0o755) }, "d/f"},
		"mkdir of what is":       {func(w *world) error { return exist(w.fs.Mkdir("d", 0o755)) }, "d/f"},
		"remove of a full one":   {func(w *world) error { return notEmpty(w, w.fs.Remove("d")) }, "d/f"},
		"remove of a sibling":    {func(w *world) error { return w.fs.Remove("d/over") }, "d/f"},
		"removeall of a sibling": {func(w *world) error { return w.fs.RemoveAll("empty") }, "d/f"},
		"rename that fails":      {func(w *world) error { return exist(w.fs.Rename("d/f", "empty")) }, "d/f"},
	}
	for name, c := range changes {
		for _, revalidate := range []time.Duration{0, Always} {
			t.Run(name+" "+revalidate.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, Options{Revalidate: revalidate})
				w.put("d/f", "content")
				w.put("d/over", "x")
				require.NoError(t, w.remote.Mkdir("empty", 0o755))
				w.requireRead("content", "d/f")
				require.NoError(t, c.do(w))
				w.requireFetched(0, func() { w.requireOneVersion("content", c.name) })
				w.requireLocal("content", c.name)
				want, err := w.remote.Stat(c.name)
				require.NoError(t, err)
				got, err := w.fs.Stat(c.name)
				require.NoError(t, err)
				require.Equal(t, want.Mode(), got.Mode())
				require.True(t, want.ModTime().Equal(got.ModTime()))
				w.restart()
				w.requireFetched(0, func() { w.requireOneVersion("content", c.name) })
			})
		}
	}
}

// exist turns the error that is expected into none.
func exist(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return fmt.Errorf("want fs.ErrExist, got %w", err)
}

func notEmpty(w *world, err error) error {
	require.Error(w, err)
	return nil
}

// A change whose outcome nobody knows makes the cache ask again, whatever Revalidate says.
func TestChangeOfUnknownOutcomeIsAskedAbout(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world) error{
		"remove":    func(w *world) error { return w.fs.Remove("d/f") },
		"removeall": func(w *world) error { return w.fs.RemoveAll("d") },
		"rename":    func(w *world) error { return w.fs.Rename("d/f", "g") },
		"rename up": func(w *world) error { return w.fs.Rename("d", "e") },
	} {
		for _, made := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s made %t", name, made), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, Options{})
				w.put("d/f", "content")
				w.requireRead("content", "d/f")
				fails := func(op faultfs.Op, err error) error {
					switch op.Kind {
					case faultfs.Remove, faultfs.RemoveAll, faultfs.Rename:
						return errDown
					}
					return err
				}
				if made {
					w.line.After(fails)
				} else {
					w.line.Before(func(op faultfs.Op) error { return fails(op, nil) })
				}
				require.ErrorIs(t, change(w), ErrUnavailable)
				w.requireLocal("content", "d/f")
				if made {
					_, err := w.fs.Open("d/f")
					require.ErrorIs(t, err, fs.ErrNotExist)
					return
				}
				w.requireFetched(0, func() { w.requireRead("content", "d/f") })
				w.requireAsked(0, func() { w.requireRead("content", "d/f") })
			})
		}
	}
}

// An open directory goes on listing what is there when the cache has forgotten all it knew about it.
func TestOpenDirectoryListsWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/a", "x")
	w.put("d/b", "y")
	dir, err := w.fs.Open("d")
	require.NoError(t, err)
	defer dir.Close()
	w.requireRead("x", "d/a")
	require.NoError(t, w.fs.Remove("d/a"))
	names, err := dir.Readdirnames(-1)
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, names)
	require.NoError(t, afero.WriteFile(w.fs, "d/c", []byte("z"), 0o644))
	_, err = dir.Seek(0, 0)
	require.NoError(t, err)
	names, err = dir.Readdirnames(-1)
	require.NoError(t, err)
	require.Equal(t, []string{"b", "c"}, names)
	require.NoError(t, w.fs.RemoveAll("d"))
	_, err = dir.Seek(0, 0)
	require.NoError(t, err)
	names, err = dir.Readdirnames(-1)
	require.NoError(t, err)
	require.Empty(t, names)
}
