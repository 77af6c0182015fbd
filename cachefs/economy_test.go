package cachefs

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// What each call costs, in operations of the remote and bytes.

// Open waits for the answer that the file is there; not for the file to be opened, if everybody may read it, and for
// nothing that comes after.
func TestColdOpenWaitsForOneAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode  fs.FileMode
		after faultfs.Kind // what it does not wait for
		opens int
	}{
		{0o644, faultfs.Open, 0},
		{0o600, faultfs.Fstat, 1},
	} {
		for _, opts := range []Options{{}, {Revalidate: Always}} {
			w := newWorld(t, opts)
			w.put("f", text(1, 10*mib))
			require.NoError(t, w.remote.Chmod("f", c.mode))
			gate, passed := make(chan struct{}), atomic.Int32{}
			w.line.Before(func(op faultfs.Op) error {
				if op.Kind == c.after || op.Kind == faultfs.Read {
					<-gate
				}
				if op.Kind == faultfs.Open {
					passed.Add(1)
				}
				return nil
			})
			f, err := w.fs.Open("f")
			require.NoError(t, err)
			fi, err := f.Stat()
			require.NoError(t, err)
			require.Equal(t, int64(10*mib), fi.Size())
			require.Equal(t, 1, w.line.Count(faultfs.Lstat))
			require.EqualValues(t, c.opens, passed.Load())
			require.Zero(t, w.line.BytesRead())
			close(gate)
			got, err := io.ReadAll(f)
			require.NoError(t, err)
			require.True(t, text(1, 10*mib) == string(got))
			require.Equal(t, 1, w.line.Count(faultfs.Lstat))
			require.Equal(t, 1, w.line.Count(faultfs.Open))
			require.NoError(t, f.Close())
		}
	}
}

func TestSmallFileCostsOneRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", text(1, 50_000))
	// lstat, open, read beside fstat, fstat again, close
	w.requireAsked(6, func() { w.requireFetched(50_000, func() { w.read("f") }); require.NoError(t, w.fs.Close()) })
	w.start()
	w.requireAsked(0, func() { w.read("f") })
}

func TestFileIsMovedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/f", text(1, 5*mib))
	w.requireFetched(5*mib, func() { w.read("d/f") })
	then := time.Unix(1_000_000_000, 0)
	w.requireFetched(0, func() {
		require.NoError(t, w.fs.Rename("d/f", "d/g"))
		require.NoError(t, w.fs.Chmod("d/g", 0o600))
		require.NoError(t, w.fs.Chtimes("d/g", then, then))
		require.NoError(t, w.fs.Rename("d", "e"))
		require.NoError(t, w.fs.Fetch(t.Context(), "e/g"))
		require.NoError(t, second(w.fs.Pull(t.Context(), "/")))
	})
	w.requireAsked(0, func() { w.read("e/g"); require.NoError(t, second(w.fs.Stat("e/g"))) })
	w.restart()
	w.requireAsked(0, func() { w.read("e/g") })
}

// A read in the middle of a file that has to be fetched moves little of it, also in what is done after its close.
func TestReadInTheMiddleOfALargeFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "")
	f, err := w.remote.OpenFile("f", os.O_WRONLY, 0)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(10<<30)) // takes no room
	_, err = f.WriteAt([]byte("here"), 5<<30)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	r, err := w.fs.Open("f")
	require.NoError(t, err)
	p := make([]byte, 64<<10)
	_, err = r.ReadAt(p, 5<<30)
	require.NoError(t, err)
	require.Equal(t, "here", string(p[:4]))
	require.NoError(t, r.Close())
	w.requireAllClosed()
	require.Less(t, w.line.BytesRead(), int64(4*mib))
	require.Equal(t, int64(0), w.copies())
}

// Pull asks about nothing that its lists have told, and with one request for each file beside opening, reading and
// closing it: is it still the version that was opened?
func TestPullAsksOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for i := range 20 {
		w.put(fmt.Sprintf("d%d/sub/f%d", i%4, i), "theirs")
	}
	_, err := w.fs.Pull(t.Context(), "/")
	require.NoError(t, err)
	require.Equal(t, 0, w.line.Count(faultfs.Stat))
	require.LessOrEqual(t, w.line.Count(faultfs.Lstat), 1, "the root")
	require.Equal(t, 40, w.line.Count(faultfs.Fstat))
	require.Equal(t, 9+20, w.line.Count(faultfs.Open))
}
