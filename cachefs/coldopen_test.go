package cachefs

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// slowOpens has the remote take a second to open a file, and notes what was done on it, in the order in which it was
// done.
func (w *world) slowOpens() (done func() []faultfs.Kind) {
	var mu sync.Mutex
	var kinds []faultfs.Kind
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Open && op.Flag == os.O_RDONLY {
			time.Sleep(time.Second)
		}
		mu.Lock()
		defer mu.Unlock()
		kinds = append(kinds, op.Kind)
		return nil
	})
	return func() []faultfs.Kind {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(kinds)
	}
}

// Whatever the program does with a name after Open, it reads the file that it has opened, though the remote had not
// opened it yet: what would take it away there comes after that.
func TestNameChangesBeforeTheRemoteHasOpenedTheFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(w *world) error
		kind faultfs.Kind // what waits
		now  string       // the content of d/f; "": it is not there
	}{
		"remove":       {func(w *world) error { return w.fs.Remove("d/f") }, faultfs.Remove, ""},
		"removeall":    {func(w *world) error { return w.fs.RemoveAll("d") }, faultfs.RemoveAll, ""},
		"rename":       {func(w *world) error { return w.fs.Rename("d/f", "g") }, faultfs.Rename, ""},
		"rename above": {func(w *world) error { return w.fs.Rename("d", "e") }, faultfs.Rename, ""},
		"rename over":  {func(w *world) error { return w.fs.Rename("other", "d/f") }, faultfs.Rename, "other"},
		"truncate": {func(w *world) error {
			return afero.WriteFile(w.fs, "d/f", []byte("new"), 0o644)
		}, faultfs.Write, "new"},
		"made anew": {func(w *world) error {
			if err := w.fs.Remove("d/f"); err != nil {
				return err
			}
			return afero.WriteFile(w.fs, "d/f", []byte("new"), 0o644)
		}, faultfs.Remove, "new"},
		"hidden": {func(w *world) error { return w.fs.Chmod("d/f", 0) }, faultfs.Chmod, "content"},
		"hidden above": {func(w *world) error {
			if err := w.fs.Chmod("d", 0); err != nil {
				return err
			}
			return w.remote.Chmod("d", 0o755)
		}, faultfs.Chmod, "content"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{})
				w.put("d/f", "content")
				w.put("other", "other")
				done := w.slowOpens()
				f, err := w.fs.Open("d/f")
				require.NoError(t, err)
				require.NotContains(t, done(), faultfs.Open)
				require.NoError(t, c.do(w))
				kinds := done()
				require.Contains(t, kinds, c.kind)
				require.Less(t, slices.Index(kinds, faultfs.Open), slices.Index(kinds, c.kind))
				got, err := io.ReadAll(f)
				require.NoError(t, err)
				require.Equal(t, "content", string(got))
				require.NoError(t, f.Close())
				if c.now != "" {
					w.requireRead(c.now, "d/f")
				} else {
					require.ErrorIs(t, second(w.fs.Stat("d/f")), fs.ErrNotExist)
				}
			})
		})
	}
}

// A change of other names does not wait.
func TestChangeElsewhereDoesNotWaitForAnOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.put("d/f", "content")
		w.put("d/f2", "content")
		done := w.slowOpens()
		f, err := w.fs.Open("d/f")
		require.NoError(t, err)
		require.NoError(t, w.fs.Remove("d/f2"))
		require.NotContains(t, done(), faultfs.Open)
		require.NoError(t, f.Close())
		time.Sleep(2 * time.Second) // what is left to itself when the Fs is closed must not outlast the test
	})
}

// Who waits for an open waits as long as its context lasts, and has changed nothing then.
func TestChangeThatWaitsForAnOpenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.put("d/f", "content")
		done := w.slowOpens()
		f, err := w.fs.Open("d/f")
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, w.with(ctx).Remove("d/f"), ctx.Err())
		require.NotContains(t, done(), faultfs.Remove)
		got, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, "content", string(got))
		require.NoError(t, f.Close())
	})
}

// A file that is being taken away while it is opened is not opened before it is certain that it is.
func TestOpenOfAFileThatIsBeingTakenAway(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(w *world) error{
		"remove":       func(w *world) error { return w.fs.Remove("d/f") },
		"rename":       func(w *world) error { return w.fs.Rename("d/f", "g") },
		"rename above": func(w *world) error { return w.fs.Rename("d", "e") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{})
				w.put("d/f", "content")
				w.line.Before(func(op faultfs.Op) error {
					switch op.Kind {
					case faultfs.Open, faultfs.Remove, faultfs.Rename:
						time.Sleep(time.Second)
					}
					return nil
				})
				taken := make(chan error, 1)
				go func() { taken <- take(w) }()
				time.Sleep(time.Second / 2) // it is on its way
				_, err := w.fs.Open("d/f")
				require.ErrorIs(t, err, fs.ErrNotExist)
				require.NoError(t, <-taken)
			})
		})
	}
}

// What comes in between the answer that the file is there and opening it is the error of who reads. Stat needs no more
// than the answer.
func TestOpenFailsAfterOpenHasReturned(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		between  func(w *world) error // what happens, or what opening ends with
		want     error
		recovers bool
	}{
		"removed":    {func(w *world) error { return w.remote.Remove("d/f") }, ErrChanged, false},
		"renamed":    {func(w *world) error { return w.remote.Rename("d", "e") }, ErrChanged, false},
		"unreadable": {func(*world) error { return fs.ErrPermission }, fs.ErrPermission, true},
		"no answer":  {func(*world) error { return errDown }, ErrUnavailable, true},
	} {
		for op, use := range map[string]func(f afero.File) error{
			"read":    func(f afero.File) error { return second(f.Read(make([]byte, 1))) },
			"read at": func(f afero.File) error { return second(f.ReadAt(make([]byte, 1), 3)) },
			"seek":    func(f afero.File) error { return second(f.Seek(0, io.SeekEnd)) },
		} {
			for _, late := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/late %v", name, op, late), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, Options{})
						w.put("d/f", "content")
						var once sync.Once
						w.line.Before(func(op faultfs.Op) (err error) {
							if op.Kind == faultfs.Open {
								time.Sleep(time.Second)
								once.Do(func() { err = c.between(w) })
							}
							return err
						})
						f, err := w.fs.Open("d/f")
						require.NoError(t, err)
						if late && c.recovers { // who reads later tries again
							time.Sleep(2 * time.Second)
							require.NoError(t, use(f))
							require.NoError(t, f.Close())
							return
						} else if late {
							time.Sleep(2 * time.Second)
						}
						err = use(f)
						require.ErrorIs(t, err, c.want)
						require.NotErrorIs(t, err, fs.ErrNotExist)
						requireNames(t, err, strings.Fields(op)[0], "d/f")
						fi, err := f.Stat()
						require.NoError(t, err)
						require.Equal(t, int64(len("content")), fi.Size())
						require.Equal(t, "f", fi.Name())
						require.NoError(t, f.Close())
						require.Empty(t, w.line.OpenFiles())
					})
				})
			}
		}
	}
}

// Close does not wait for the remote, and nothing is left open there.
func TestCloseBeforeTheRemoteHasOpenedTheFile(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]Options{
		"stopped":   {FillAfterClose: -1},
		"completed": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, opts)
				w.put("d/f", "content")
				w.slowOpens()
				began := time.Now()
				f, err := w.fs.Open("d/f")
				require.NoError(t, err)
				synctest.Wait() // it is being opened
				require.NoError(t, f.Close())
				require.Zero(t, time.Since(began))
				time.Sleep(2 * time.Second)
				synctest.Wait()
				require.Equal(t, 1, w.line.Count(faultfs.Open))
				require.Empty(t, w.line.OpenFiles())
				require.Equal(t, opts.FillAfterClose >= 0, w.line.BytesRead() > 0)
				w.requireNoLeftovers()
			})
		})
	}
}

// If the remote has not just said that everybody may read the file, Open waits for it to be opened.
func TestOpenWaitsWhereItIsNotSure(t *testing.T) {
	t.Parallel()
	t.Run("mode", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.put("f", "content")
			require.NoError(t, w.remote.Chmod("f", 0o640))
			w.line.Before(func(op faultfs.Op) error {
				if op.Kind == faultfs.Open {
					time.Sleep(time.Second)
					return fs.ErrPermission
				}
				return nil
			})
			_, err := w.fs.Open("f")
			require.ErrorIs(t, err, fs.ErrPermission)
			requireNames(t, err, "open", "f")
		})
	})
	t.Run("an answer to an earlier call", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{ListTTL: time.Hour})
		w.put("d/f", "content")
		require.NoError(t, second(afero.ReadDir(w.fs, "d")))
		require.NoError(t, w.remote.Remove("d/f"))
		_, err := w.fs.Open("d/f")
		require.ErrorIs(t, err, fs.ErrNotExist)
	})
}

// Who reads to the end finds the copy in its place, and does not wait for the remote's file to be closed; who closes
// the handle, or fetches, does: then the remote is at rest.
func TestEndOfAFileDoesNotWaitForTheRemotesToBeClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.put("f", text(1, mib))
		w.put("g", "content")
		w.line.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Close {
				time.Sleep(time.Second)
			}
			return nil
		})
		began := time.Now()
		f, err := w.fs.Open("f")
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, f)
		require.NoError(t, err)
		require.EqualValues(t, mib, n)
		require.Zero(t, time.Since(began))
		w.requireLocal(text(1, mib), "f")
		require.NoError(t, f.Close())
		require.Equal(t, time.Second, time.Since(began))
		require.Empty(t, w.line.OpenFiles())
		require.NoError(t, w.fs.Fetch(t.Context(), "g"))
		require.Empty(t, w.line.OpenFiles())
	})
}
