package cachefs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// bounded makes a world that keeps at most ten bytes, and checks at each operation of the remote that it does.
func bounded(t *testing.T) *world {
	w := newWorld(t, Options{MaxBytes: 10})
	w.line.Before(func(op faultfs.Op) error {
		if size := w.copies(); size > 10 {
			t.Errorf("%d bytes at %v", size, op)
		}
		return nil
	})
	for _, name := range []string{"a", "b", "c", "d"} {
		w.put(name, name+name+name+name)
	}
	return w
}

// use reads a file at a time of its own.
func (w *world) use(name string) {
	w.clock.advance(time.Second)
	w.requireRead(name+name+name+name, name)
}

func (w *world) requireKept(names ...string) {
	w.Helper()
	var kept []string
	for _, name := range []string{"a", "b", "c", "d"} {
		if _, err := os.Stat(w.local(name)); err == nil {
			kept = append(kept, name)
		}
	}
	require.Equal(w, names, kept)
}

func TestLeastRecentlyUsedIsEvicted(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	w.use("a")
	w.use("b")
	w.use("a")
	w.use("c")
	w.requireKept("a", "c")
	w.clock.advance(time.Second)
	require.NoError(t, w.fs.Fetch(t.Context(), "d")) // to fetch is to use
	w.requireKept("c", "d")
	w.use("a")
	w.requireKept("a", "d")
	w.restart()
	w.use("b")
	require.LessOrEqual(t, w.copies(), int64(10))
}

func TestWhatIsOpenIsNotEvicted(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	w.use("a")
	w.use("b")
	a, err := w.fs.Open("a")
	require.NoError(t, err)
	defer a.Close()
	b, err := w.fs.Open("b")
	require.NoError(t, err)
	w.use("c") // nothing can go: read on the remote
	w.requireKept("a", "b")
	require.NoError(t, b.Close())
	w.use("c")
	w.requireKept("a", "c")
}

func TestFileThatDoesNotFitIsReadThrough(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	w.use("a")
	w.put("big", "more than ten bytes")
	w.requireOneVersion("more than ten bytes", "big")
	w.requireNoLocal("big")
	w.requireKept("a")
	f, err := w.fs.Open("big")
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Seek(-5, io.SeekEnd)
	require.NoError(t, err)
	end, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "bytes", string(end))
	require.Error(t, w.fs.Fetch(t.Context(), "big"), "Fetch promises a copy")
	w.requireKept("a")
}

func TestFileThatGrowsDuringFetchKeepsTheBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{MaxBytes: 10})
	w.put("f", "small")
	reads := 0
	w.line.Before(func(op faultfs.Op) error {
		if size := w.copies(); size > 10 {
			t.Errorf("%d bytes at %v", size, op)
		}
		if op.Kind == faultfs.Read {
			if reads++; reads == 1 {
				w.put("f", "much more than ten bytes")
			}
		}
		return nil
	})
	w.requireRead("much more than ten bytes", "f")
	require.Zero(t, w.copies())
}

// The old copy counts until the new one has taken its place.
func TestReplacementKeepsTheBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always, MaxBytes: 10})
	w.line.Before(func(op faultfs.Op) error {
		if size := w.copies(); size > 10 {
			t.Errorf("%d bytes at %v", size, op)
		}
		return nil
	})
	for i := range 5 {
		w.put("f", fmt.Sprintf("version%d", i))
		w.requireOneVersion(fmt.Sprintf("version%d", i), "f")
		w.requireLocal(fmt.Sprintf("version%d", i), "f")
	}
}

func TestLowerBoundHoldsFromTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, name := range []string{"a", "b", "c", "d"} {
		w.put(name, name+name+name+name)
		w.use(name)
	}
	w.putLocal("own", "the user's own does not count")
	w.opts.MaxBytes = 10
	w.restart()
	w.requireKept("c", "d")
	w.use("a")
	w.requireKept("a", "d")
	w.requireLocal("the user's own does not count", "own")
}

// A copy makes room also after its ctime has changed, as a backup program or a file system changes it.
func TestTouchedCopyIsEvicted(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	backups := t.TempDir()
	for _, name := range []string{"a", "b"} {
		w.use(name)
		require.NoError(t, os.Link(w.local(name), filepath.Join(backups, name)))
	}
	w.use("c")
	w.requireKept("b", "c")
}

// What every way of losing a copy gives back is there for others: the count does not drift.
func TestBoundDoesNotDrift(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	ways := map[string]func(name string){
		"evict":   func(name string) { require.NoError(t, w.fs.Evict(name)) },
		"by hand": func(name string) { require.NoError(t, os.Remove(w.local(name))) },
		"edited": func(name string) {
			w.putLocal(name, "a file of the user's")
			w.read(name)
			require.NoError(t, os.Remove(w.local(name)))
		},
		"remove": func(name string) { require.NoError(t, w.fs.Remove(name)) },
		"write":  func(name string) { require.NoError(t, afero.WriteFile(w.fs, name, []byte("x"), 0o644)) },
		"rename": func(name string) {
			require.NoError(t, w.fs.Rename(name, "elsewhere"))
			require.NoError(t, w.fs.Evict("elsewhere"))
		},
		"cut": func(name string) {
			require.NoError(t, w.fs.Evict(name))
			w.down()
			require.Error(t, w.fs.Fetch(t.Context(), name))
			w.up()
		},
		"other size": func(name string) { w.putLocal(name, "?"); w.read(name); require.NoError(t, os.Remove(w.local(name))) },
	}
	for way, lose := range ways {
		for i := range 5 {
			name := fmt.Sprintf("%s%d", way, i)
			w.put(name, "12345678")
			w.requireRead("12345678", name)
			w.requireLocal("12345678", name)
			lose(name)
		}
	}
	w.put("last", "0123456789")
	w.requireRead("0123456789", "last")
	w.requireLocal("0123456789", "last")
}

func TestManyReadersKeepTheBound(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	var readers sync.WaitGroup
	for i := range 8 {
		readers.Go(func() {
			for j := range 20 {
				name := string(rune('a' + (i+j)%4))
				content, err := afero.ReadFile(w.fs, name)
				if err != nil || string(content) != name+name+name+name {
					t.Errorf("%s: %q, %v", name, content, err)
				}
			}
		})
	}
	readers.Wait()
	require.LessOrEqual(t, w.copies(), int64(10))
	w.put("last", "0123456789")
	w.requireRead("0123456789", "last")
	w.requireLocal("0123456789", "last")
}
