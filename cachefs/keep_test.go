package cachefs

import (
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// status is what is known of a file.
func (w *world) status(name string) Status {
	w.Helper()
	s, err := w.fs.Status(name)
	require.NoError(w, err)
	return s
}

func (w *world) requireState(want State, name string) {
	w.Helper()
	require.Equal(w, want, w.status(name).State, "%s", name)
}

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/a", "theirs")
	w.requireState(Absent, "d/b")
	w.requireState(Absent, "e/b")
	w.requireState(RemoteOnly, "d")
	w.requireState(RemoteOnly, "d/a")
	version := time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC)

	w.requireRead("theirs", "d/a")
	s := w.status("d/a")
	s.ModTime, s.Fetched, s.Checked = s.ModTime.UTC(), s.Fetched.UTC(), s.Checked.UTC()
	require.Equal(t, Status{State: Owned, Size: 6, ModTime: version, Fetched: w.clock.time(), Checked: w.clock.time()}, s)

	w.putLocal("d/a", "edited")
	w.requireState(Changed, "d/a")
	w.putLocal("d/c", "the user's")
	s = w.status("d/c")
	require.Equal(t, Local, s.State)
	require.EqualValues(t, 10, s.Size)

	w.down()
	_, err := w.fs.Status("d/x")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "status d/x")
	w.requireState(Changed, "d/a")
	for state, text := range map[State]string{Absent: "absent", RemoteOnly: "remote only", Arriving: "arriving", Local: "local",
		Local + 1: "state 6", 255: "state 255"} {
		require.Equal(t, text, state.String())
	}
}

func TestStatusOfWhatArrives(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, Options{FillAfterClose: -1}, 8<<20)
	held := s.hold(4)
	f := s.open("d/f")
	_, err := io.CopyN(io.Discard, f, 100<<10) // from there on it is brought in order
	require.NoError(t, err)
	<-held
	status, err := s.fs.Status("d/f")
	require.NoError(t, err)
	require.Equal(t, Arriving, status.State)
	require.EqualValues(t, 8<<20, status.Size)
	require.Positive(t, status.Arrived)
	require.Less(t, status.Arrived, status.Size)
	s.release()
	require.NoError(t, f.Close())
}

func TestStats(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("a", "12345678")
	w.requireRead("12345678", "a")
	w.requireRead("12345678", "a")
	w.putLocal("b", "the user's")
	w.requireRead("the user's", "b")
	require.Equal(t, Stats{Hits: 2, Misses: 1, Fetches: 1, FetchedBytes: 8, UsedBytes: 8}, w.fs.Stats())

	require.NoError(t, w.fs.Evict("a"))
	require.NoError(t, w.fs.Fetch(t.Context(), "a"))
	require.Equal(t, Stats{Hits: 2, Misses: 1, Fetches: 2, FetchedBytes: 16, Evictions: 1, EvictedBytes: 8, UsedBytes: 8},
		w.fs.Stats())

	var readers sync.WaitGroup
	w.put("c", strings.Repeat("c", 1000))
	for range 50 {
		readers.Go(func() { w.requireRead(strings.Repeat("c", 1000), "c") })
	}
	readers.Wait()
	s := w.fs.Stats()
	require.EqualValues(t, 3, s.Fetches)
	require.EqualValues(t, 51, s.Hits+s.Misses-2)
	require.Equal(t, s.Misses-2, s.Waits, "all but the one who began it")
}

func TestPinnedIsKept(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	require.NoError(t, w.fs.Pin(t.Context(), "a"))
	require.True(t, w.status("a").Pinned)
	require.ErrorIs(t, w.fs.Evict("a"), ErrBusy)
	w.use("b")
	w.use("c")
	w.use("d")
	w.requireKept("a", "d")
	w.restart()
	w.use("b")
	w.requireKept("a", "b")

	require.NoError(t, w.fs.Unpin("a"))
	require.NoError(t, w.fs.Unpin("a"))
	require.False(t, w.status("a").Pinned)
	w.use("c")
	w.requireKept("b", "c")
}

// A pin is of the file, whatever becomes of its name and content.
func TestPinnedFileChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always})
	w.put("a", "first")
	require.NoError(t, w.fs.Pin(t.Context(), "a"))
	require.NoError(t, w.fs.Rename("a", "b"))
	require.True(t, w.status("b").Pinned)
	w.put("b", "second")
	w.requireRead("second", "b")
	require.True(t, w.status("b").Pinned)
	w.putLocal("b", "edited")
	require.True(t, w.status("b").Pinned)
	require.NoError(t, os.Remove(w.local("b")))
	require.NoError(t, w.fs.Remove("b"))
	w.put("b", "another")
	w.requireRead("another", "b")
	require.False(t, w.status("b").Pinned)
}

func TestPinErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{MaxBytes: 10})
	w.put("d/a", "12345678")
	w.put("large", "12345678901")
	w.putLocal("own", "the user's")
	require.ErrorIs(t, w.fs.Pin(t.Context(), "d"), syscall.EISDIR)
	require.ErrorIs(t, w.fs.Pin(t.Context(), "d/b"), fs.ErrNotExist)
	require.ErrorIs(t, w.fs.Unpin("d/b"), fs.ErrNotExist)
	require.NoError(t, w.fs.Pin(t.Context(), "own"))
	require.Error(t, w.fs.Pin(t.Context(), "large"))
	require.False(t, w.status("large").Pinned)
	w.down()
	require.ErrorIs(t, w.fs.Pin(t.Context(), "d/a"), ErrUnavailable)
	w.up()
	require.NoError(t, w.fs.Pin(t.Context(), "d/a"))
	require.NoError(t, os.Remove(w.local("d/a")))
	require.False(t, w.status("d/a").Pinned, "it was deleted by hand")
	text, err := afero.ReadFile(w.fs, "large")
	require.NoError(t, err)
	require.Len(t, text, 11)
}
