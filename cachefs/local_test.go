package cachefs

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// This file is about what lies in the local directory and is not a copy, or not one any more.

func TestLocalFileIsServedAndNeverTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always, MaxBytes: 10})
	w.put("d/f", "the remote's")
	w.putLocal("d/f", "the user's own")
	w.putLocal("only/here", "x")
	w.requireAsked(0, func() { w.requireRead("the user's own", "d/f") })
	w.requireRead("x", "only/here")
	require.NotNil(t, w.listed("only"))
	fi := w.listed("d/f")
	require.NotNil(t, fi)
	require.Equal(t, int64(14), fi.Size())

	require.NoError(t, w.fs.Fetch(t.Context(), "d/f"))
	_, err := w.fs.Pull(t.Context(), "/")
	require.NoError(t, err)
	require.ErrorIs(t, w.fs.Evict("d/f"), ErrChanged)
	w.put("big", "as long as all that may be kept")
	w.requireRead("as long as all that may be kept", "big")

	for what, err := range map[string]error{
		"create":    second(w.fs.Create("d/f")),
		"write":     second(w.fs.OpenFile("d/f", os.O_RDWR, 0)),
		"remove":    w.fs.Remove("d/f"),
		"chmod":     w.fs.Chmod("d/f", 0o600),
		"chtimes":   w.fs.Chtimes("d/f", time.Unix(1, 0), time.Unix(1, 0)),
		"rename":    w.fs.Rename("d/f", "g"),
		"rename to": w.fs.Rename("big", "d/f"),
	} {
		require.ErrorIs(t, err, fs.ErrPermission, what)
	}
	w.requireLocal("the user's own", "d/f")
	require.NoError(t, w.fs.RemoveAll("d"))
	w.requireLocal("the user's own", "d/f")
	w.requireRead("the user's own", "d/f")
}

func second[T any](_ T, err error) error { return err }

// What the cache knew about a name does not count any more when the user puts a file there.
func TestLocalFileInThePlaceOfAKnownOneIsServedAndNeverTouched(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(w *world){
		"evicted": func(w *world) { require.NoError(w, w.fs.Evict("d/f")) },
		"unreachable while it was fetched": func(w *world) {
			require.NoError(w, w.fs.Evict("d/f"))
			w.line.Before(func(op faultfs.Op) error {
				if op.Kind == faultfs.Read {
					return errDown
				}
				return nil
			})
			require.ErrorIs(w, second(afero.ReadFile(w.fs, "d/f")), ErrUnavailable)
			w.line.Before(nil)
		},
		"restarted": func(w *world) {
			require.NoError(w, w.fs.Evict("d/f"))
			w.restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{Revalidate: Always})
			w.put("d/f", "the remote's")
			w.requireRead("the remote's", "d/f")
			forget(w)
			w.putLocal("d/f", "the user's own")
			w.requireOneVersion("the user's own", "d/f")
			_, err := w.fs.Pull(t.Context(), "/")
			require.NoError(t, err)
			w.requireLocal("the user's own", "d/f")
			// Gone by hand, and it is the remote's again.
			require.NoError(t, os.Remove(w.local("d/f")))
			w.requireOneVersion("the remote's", "d/f")
		})
	}
}

// A fetch does not put its copy where the user has put a file meanwhile. Who has opened the remote's reads that.
func TestFetchLeavesFileThatAppearedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/f", "the remote's")
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Read {
			w.putLocal("d/f", "the user's own")
		}
		return nil
	})
	w.requireRead("the remote's", "d/f")
	w.requireOneVersion("the user's own", "d/f")
	w.requireLocal("the user's own", "d/f")
	w.requireNoLeftovers()
}

func TestTouchedCopyIsRecognised(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "content")
	w.requireRead("content", "f")
	later := time.Now().Add(time.Hour)
	touch := map[string]func() error{
		"touched":  func() error { return os.Chtimes(w.local("f"), later, later) },
		"replaced": func() error { w.putLocal("g", "content"); return os.Rename(w.local("g"), w.local("f")) },
	}
	for what, do := range touch {
		require.NoError(t, do(), what)
		w.requireAsked(0, func() { w.requireRead("content", "f") })
		// Still a copy: it can go.
		require.NoError(t, do(), what)
		require.NoError(t, w.fs.Evict("f"), what)
		w.requireNoLocal("f")
		w.requireFetched(7, func() { w.requireRead("content", "f") })
	}
}

func TestEditedCopyIsKept(t *testing.T) {
	t.Parallel()
	edits := map[string]func(w *world){
		"other size": func(w *world) { w.putLocal("d/f", "edited by hand") },
		"same size":  func(w *world) { w.putLocal("d/f", "EDITED!") },
		"same size and mtime": func(w *world) {
			fi, err := os.Stat(w.local("d/f"))
			require.NoError(w, err)
			w.putLocal("d/f", "EDITED!")
			require.NoError(w, os.Chtimes(w.local("d/f"), fi.ModTime(), fi.ModTime()))
		},
	}
	// Each finds the edit first.
	uses := map[string]func(w *world, want string){
		"open":  func(w *world, want string) { w.requireRead(want, "d/f") },
		"stat":  func(w *world, want string) { require.NoError(w, second(w.fs.Stat("d/f"))) },
		"list":  func(w *world, want string) { require.Equal(w, int64(len(want)), w.listed("d/f").Size()) },
		"evict": func(w *world, want string) { require.ErrorIs(w, w.fs.Evict("d/f"), ErrChanged) },
		"fetch": func(w *world, want string) { require.NoError(w, w.fs.Fetch(w.Context(), "d/f")) },
		"pull":  func(w *world, want string) { require.NoError(w, second(w.fs.Pull(w.Context(), "/"))) },
		"make room": func(w *world, want string) {
			w.put("other", "0123456789")
			w.requireRead("0123456789", "other")
		},
		"new version": func(w *world, want string) {
			w.put("d/f", "another version")
			w.requireRead(want, "d/f")
		},
		"gone on the remote": func(w *world, want string) {
			require.NoError(w, w.remote.RemoveAll("d"))
			w.requireRead(want, "d/f")
		},
		"directory on the remote": func(w *world, want string) {
			require.NoError(w, w.remote.Remove("d/f"))
			require.NoError(w, w.remote.Mkdir("d/f", 0o755))
			w.requireRead(want, "d/f")
		},
		"write": func(w *world, want string) { require.ErrorIs(w, second(w.fs.Create("d/f")), fs.ErrPermission) },
		"remove above": func(w *world, want string) {
			require.NoError(w, w.fs.RemoveAll("d"))
		},
		"restart": func(w *world, want string) { w.restart() },
	}
	for edit, change := range edits {
		for use, do := range uses {
			t.Run(edit+" "+use, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, Options{Revalidate: Always, MaxBytes: 15})
				w.put("d/f", "content")
				w.requireRead("content", "d/f")
				change(w)
				edited, err := os.ReadFile(w.local("d/f"))
				require.NoError(t, err)
				do(w, string(edited))
				w.requireOneVersion(string(edited), "d/f")
				require.ErrorIs(t, w.fs.Evict("d/f"), ErrChanged)
				w.restart()
				w.requireOneVersion(string(edited), "d/f")
				w.requireLocal(string(edited), "d/f")
			})
		}
	}
}

// An edit that is made while a new version is being fetched is not replaced by it.
func TestCopyEditedDuringFetchIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always})
	w.put("f", "old")
	w.requireRead("old", "f")
	w.put("f", "newer")
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Read {
			w.putLocal("f", "edited")
		}
		return nil
	})
	f, err := w.fs.Open("f")
	require.NoError(t, err)
	defer f.Close()
	content, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "newer", string(content))
	want, err := w.remote.Stat("f")
	require.NoError(t, err)
	fi, err := f.Stat()
	require.NoError(t, err)
	require.Equal(t, int64(5), fi.Size())
	require.True(t, want.ModTime().Equal(fi.ModTime()), "%v", fi.ModTime())
	w.requireOneVersion("edited", "f")
	fi, err = f.Stat()
	require.NoError(t, err)
	require.Equal(t, int64(5), fi.Size(), "it is still what was opened")
	require.True(t, want.ModTime().Equal(fi.ModTime()), "%v", fi.ModTime())
	w.requireLocal("edited", "f")
	w.requireNoLeftovers()
}

func TestEditDeletedByHandGivesTheRemotesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/f", "content")
	w.requireRead("content", "d/f")
	w.putLocal("d/f", "edited")
	w.requireOneVersion("edited", "d/f")
	require.NoError(t, os.Remove(w.local("d/f")))
	require.NotNil(t, w.listed("d/f"))
	w.requireOneVersion("content", "d/f")
	require.NoError(t, w.fs.Evict("d/f"))
	require.NoError(t, w.fs.Remove("d/f"))
}

func TestCopyDeletedByHandIsFetchedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/f", "content")
	w.requireRead("content", "d/f")
	require.NoError(t, os.RemoveAll(w.local("d")))
	w.requireFetched(7, func() { w.requireOneVersion("content", "d/f") })
}

// A directory in the place of a copy is the user's.
func TestCopyReplacedByDirectoryByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "content")
	w.requireRead("content", "f")
	require.NoError(t, os.Remove(w.local("f")))
	w.putLocal("f/inside", "the user's own")
	w.requireRead("the user's own", "f/inside")
	fi, err := w.fs.Stat("f")
	require.NoError(t, err)
	require.True(t, fi.IsDir())
	require.True(t, w.listed("f").IsDir())
	w.requireLocal("the user's own", "f/inside")
}

func TestOpenCopyOutlivesItsFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always})
	w.put("f", "content")
	require.NoError(t, w.fs.Fetch(t.Context(), "f"))
	f, err := w.fs.Open("f")
	require.NoError(t, err)
	require.ErrorIs(t, w.fs.Evict("f"), ErrBusy)
	w.put("f", "other")
	w.requireRead("other", "f")
	content, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "content", string(content))
	require.NoError(t, f.Close())
	require.NoError(t, w.fs.Evict("f"))
	w.requireNoLocal("f")
	require.NoError(t, w.fs.Evict("f"), "nothing to evict")
	require.ErrorIs(t, w.fs.Evict("missing"), fs.ErrNotExist)
}

// A directory that the user has made is the remote's, too, once the remote is known to have it: it goes with the remote's.
// What the user has put into it stays.
func TestUsersDirectoryThatTheRemoteHasToo(t *testing.T) {
	t.Parallel()
	for learnt, learn := range map[string]func(w *world){
		"by a file in it":     func(w *world) { w.requireRead("content", "d/f") },
		"by its listing":      func(w *world) { require.NotNil(w, w.listed("d/f")) },
		"by the one above it": func(w *world) { _ = second(w.fs.Stat("d/none")); require.NotNil(w, w.listed("d")) },
	} {
		for _, own := range []bool{false, true} {
			t.Run(fmt.Sprint(learnt, ", a file of the user in it ", own), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, Options{Revalidate: Always, ListTTL: -1})
				w.put("d/f", "content")
				require.NoError(t, os.Mkdir(w.local("d"), 0o755))
				learn(w)
				require.NoError(t, w.remote.RemoveAll("/d"))
				if own {
					w.putLocal("d/own", "the user's own")
					require.NotNil(t, w.listed("d"))
					require.Nil(t, w.listed("d/f"))
					w.requireRead("the user's own", "d/own")
					w.requireLocal("the user's own", "d/own")
					return
				}
				require.Nil(t, w.listed("d"))
				require.ErrorIs(t, second(w.fs.Stat("d")), fs.ErrNotExist)
				require.NoDirExists(t, w.local("d"))
			})
		}
	}
}
