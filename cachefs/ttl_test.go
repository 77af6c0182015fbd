package cachefs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

func ttlWorld(t *testing.T, revalidate time.Duration) *world {
	w := newWorld(t, Options{ListTTL: time.Minute, Revalidate: revalidate})
	for i := range 20 {
		w.put(fmt.Sprintf("d%d/e/f%d", i%4, i), "content")
	}
	return w
}

// After a walk, what the program asks about names and attributes costs nothing for as long as ListTTL, and one list is
// all that a directory costs.
func TestWalkCostsOneListForEachDirectory(t *testing.T) {
	t.Parallel()
	for _, revalidate := range []time.Duration{0, Always} {
		w := ttlWorld(t, revalidate)
		walk := func() (files int) {
			require.NoError(t, afero.Walk(w.fs, "/", func(name string, fi fs.FileInfo, err error) error {
				if err == nil && !fi.IsDir() {
					files++
				}
				return err
			}))
			return files
		}
		const perList, dirs, root = 3, 9, 1 // open, readdir, close
		w.requireAsked(root+perList*dirs, func() { require.Equal(t, 20, walk()) })
		w.requireAsked(0, func() { require.Equal(t, 20, walk()) })
		w.requireAsked(0, func() {
			require.NoError(t, second(w.fs.Stat("d1/e/f1")))
			require.ErrorIs(t, second(w.fs.Stat("d1/e/nothing")), fs.ErrNotExist)
		})
		w.clock.advance(time.Minute)
		before := w.line.Count(faultfs.Readdir)
		require.Equal(t, 20, walk())
		require.Equal(t, dirs, w.line.Count(faultfs.Readdir)-before)
	}
}

// A directory that is asked about several names is listed; then none of the others is asked about.
func TestManyNamesAreAskedAboutAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{ListTTL: time.Minute})
	for i := range 100 {
		w.put(fmt.Sprintf("d/f%d", i), "content")
	}
	listed := make(chan struct{})
	w.line.After(func(op faultfs.Op, err error) error {
		if op.Kind == faultfs.Close && op.Name == "/d" {
			close(listed)
		}
		return err
	})
	for i := range 10 {
		require.NoError(t, second(w.fs.Stat(fmt.Sprintf("d/f%d", i))))
	}
	<-listed
	for i, before := 0, -1; before != w.line.Total(); i++ { // until it is known
		before = w.line.Total()
		require.ErrorIs(t, second(w.fs.Stat(fmt.Sprintf("d/no%d", i))), fs.ErrNotExist)
	}
	w.requireAsked(0, func() {
		for i := range 100 {
			require.NoError(t, second(w.fs.Stat(fmt.Sprintf("d/f%d", i))))
			require.ErrorIs(t, second(w.fs.Stat(fmt.Sprintf("d/nothing%d", i))), fs.ErrNotExist)
		}
	})
}

// What this Fs does shows at once, and so does what another does after Invalidate.
func TestHeardIsForgotten(t *testing.T) {
	t.Parallel()
	w := ttlWorld(t, 0)
	names := func() []string {
		infos, err := afero.ReadDir(w.fs, "d1/e")
		require.NoError(t, err)
		var names []string
		for _, fi := range infos {
			names = append(names, fi.Name())
		}
		return names
	}
	require.Len(t, names(), 5)
	require.ErrorIs(t, second(w.fs.Stat("d1/e/new")), fs.ErrNotExist)
	require.NoError(t, afero.WriteFile(w.fs, "d1/e/new", nil, 0o644))
	require.Len(t, names(), 6)
	require.NoError(t, second(w.fs.Stat("d1/e/new")))
	require.NoError(t, w.fs.Remove("d1/e/new"))
	require.Len(t, names(), 5)

	w.put("d1/e/theirs", "theirs")
	require.Len(t, names(), 5)
	require.ErrorIs(t, second(w.fs.Stat("d1/e/theirs")), fs.ErrNotExist)
	require.NoError(t, w.fs.Invalidate("d1"))
	require.Len(t, names(), 6)
	require.NoError(t, second(w.fs.Stat("d1/e/theirs")))
}

// A list that is used again does not take the place of what was learnt later: a copy of a newer version stays one.
func TestOldListDoesNotMakeANewCopyStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{ListTTL: time.Minute, Revalidate: Always})
	w.put("d/f", "old")
	require.NoError(t, second(afero.ReadDir(w.fs, "d")))
	w.clock.advance(time.Second)
	w.put("d/f", "new one")
	w.requireRead("new one", "d/f")
	require.NoError(t, second(afero.ReadDir(w.fs, "d")))
	fi, err := w.fs.Stat("d/f")
	require.NoError(t, err)
	require.Equal(t, int64(len("new one")), fi.Size())
	w.requireRead("new one", "d/f")
	require.NoError(t, os.Remove(w.local("d/f")))
	w.requireRead("new one", "d/f")
}

// Invalidate has a copy compared that Revalidate would not, and keeps it if it is current.
func TestInvalidateAsksAboutACopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/f", "old")
	w.requireRead("old", "d/f")
	require.NoError(t, w.fs.Invalidate("/"))
	before := w.line.BytesRead()
	w.requireRead("old", "d/f")
	require.Equal(t, before, w.line.BytesRead(), "fetched again")
	w.put("d/f", "new one")
	w.requireRead("old", "d/f")
	require.NoError(t, w.fs.Invalidate("d/f"))
	w.requireRead("new one", "d/f")
	require.ErrorIs(t, w.fs.Invalidate("a\x00b"), fs.ErrInvalid)
}

// readsDirs is a remote that reads directories without opening them.
type readsDirs struct {
	afero.Fs
	asked []string
}

func (r *readsDirs) ReadDir(name string) ([]fs.FileInfo, error) {
	r.asked = append(r.asked, name)
	return afero.ReadDir(r.Fs, name)
}

func (r *readsDirs) Open(name string) (afero.File, error) {
	if fi, err := r.Stat(name); err == nil && fi.IsDir() {
		return nil, errDown
	}
	return r.Fs.Open(name)
}

func TestRemoteThatReadsDirectories(t *testing.T) {
	t.Parallel()
	remote := &readsDirs{Fs: aferotest.OS(t.TempDir())}
	put(t, remote, "d/f", "content", time.Now())
	c, err := New(remote, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), nil)
	require.NoError(t, err)
	defer c.Close()
	infos, err := afero.ReadDir(c, "d")
	require.NoError(t, err)
	require.Len(t, infos, 1)
	require.Equal(t, "f", infos[0].Name())
	require.Equal(t, []string{"/d"}, remote.asked)
	require.ErrorIs(t, second(afero.ReadDir(c, "missing")), fs.ErrNotExist)
}

// By default a walk costs one list for each directory and nothing for each file, and what others do shows within seconds.
func TestListTTLByDefault(t *testing.T) {
	t.Parallel()
	w := ttlWorld(t, 0)
	require.NoError(t, w.fs.Close())
	w.opts.ListTTL = 0
	w.start()
	const perList, dirs, root = 3, 9, 1
	w.requireAsked(root+perList*dirs, func() {
		require.NoError(t, afero.Walk(w.fs, "/", func(name string, fi fs.FileInfo, err error) error {
			if err == nil {
				_, err = w.fs.Stat(name)
			}
			return err
		}))
	})
	w.put("d1/e/new", "new")
	w.put("d1/e/f1", "another version")
	require.NoError(t, w.remote.Remove("d1/e/f5"))
	require.ErrorIs(t, second(w.fs.Stat("d1/e/new")), fs.ErrNotExist)
	require.NoError(t, second(w.fs.Stat("d1/e/f5")))
	w.requireRead("another version", "d1/e/f1")
	require.ErrorIs(t, second(afero.ReadFile(w.fs, "d1/e/f5")), fs.ErrNotExist)
	w.clock.advance(5 * time.Second)
	require.NoError(t, second(w.fs.Stat("d1/e/new")))
	require.ErrorIs(t, second(w.fs.Stat("d1/e/f5")), fs.ErrNotExist)
}

// Who wants a file here is told whether it is there now.
func TestAbsenceIsAskedAboutAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, call := range map[string]func(w *world) error{
		"Fetch":          func(w *world) error { return w.fs.Fetch(ctx, "d/f") },
		"Pin":            func(w *world) error { return w.fs.Pin(ctx, "d/f") },
		"Pull":           func(w *world) error { return second(w.fs.Pull(ctx, "d")) },
		"Open as Always": func(w *world) error { return second(afero.ReadFile(w.fs, "d/f")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{ListTTL: time.Hour, Revalidate: Always})
			require.ErrorIs(t, second(w.fs.Stat("d")), fs.ErrNotExist)
			require.ErrorIs(t, second(w.fs.Stat("d/f")), fs.ErrNotExist)
			w.put("d/f", "content")
			require.NoError(t, call(w))
			w.requireLocal("content", "d/f")
		})
	}
}
