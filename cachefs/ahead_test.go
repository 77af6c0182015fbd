package cachefs

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// slowWorld has dirs directories of as many each, with a file in each of these, on a remote that takes a second to open
// something.
func slowWorld(t *testing.T, opts Options, dirs int) *world {
	w := newWorld(t, opts)
	for i := range dirs {
		for k := range dirs {
			w.put(fmt.Sprintf("d%02d/e%02d/f", i, k), "content")
		}
	}
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Open {
			time.Sleep(time.Second)
		}
		return nil
	})
	return w
}

func (w *world) walk(do func(name string) error) (files int) {
	require.NoError(w, afero.Walk(w.fs, "/", func(name string, fi fs.FileInfo, err error) error {
		switch {
		case err != nil:
			return err
		case fi.IsDir() && do != nil:
			return do(name)
		case !fi.IsDir():
			files++
		}
		return nil
	}))
	return files
}

func (w *world) lists() int { return w.line.Count(faultfs.Readdir) }

// Who walks waits once for each level, and each directory is listed once.
func TestWalkWaitsOnceForEachLevel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := slowWorld(t, Options{ListTTL: time.Minute}, 10)
		began := time.Now()
		require.Equal(t, 100, w.walk(nil))
		require.Equal(t, 3*time.Second, time.Since(began))
		require.Equal(t, 1+10+100, w.lists())
	})
}

// Without ListTTL each list is asked for by the call that needs it.
func TestNothingIsListedAheadWithoutTTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := slowWorld(t, Options{}, 3)
		w.walk(func(name string) error {
			synctest.Wait()
			before := w.lists()
			require.NoError(t, second(afero.ReadDir(w.fs, name)))
			require.Equal(t, before+1, w.lists())
			return nil
		})
	})
}

// What is listed ahead is bounded, and it goes on as the walk does.
func TestListsAheadAreBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parallel, atOnce int
		ahead            int // on each of the two levels
	}{
		"by default":   {0, 128, 128},
		"with options": {3, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := slowWorld(t, Options{ListTTL: time.Hour, Parallel: c.parallel}, 20)
				var running, most atomic.Int32
				w.line.Before(func(op faultfs.Op) error {
					if op.Kind == faultfs.Open {
						most.Store(max(most.Load(), running.Add(1)))
						time.Sleep(time.Second)
						running.Add(-1)
					}
					return nil
				})
				dirs := 0
				require.Equal(t, 400, w.walk(func(string) error {
					time.Sleep(2 * time.Second) // what may come has come
					synctest.Wait()
					// A list that comes may show directories that are nearer than those that were asked for before it.
					require.LessOrEqual(t, w.lists(), dirs+3*c.ahead)
					dirs++
					return nil
				}))
				require.Equal(t, 1+20+400, w.lists(), "and none is listed twice")
				require.LessOrEqual(t, int(most.Load()), c.atOnce)
				require.Greater(t, int(most.Load()), c.atOnce/2)
			})
		})
	}
}

// Only what looks like a walk has directories listed ahead.
func TestWhatIsNoWalkListsNothingAhead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dirs  []string
		ahead bool
	}{
		"the root alone":      {[]string{"/"}, false},
		"not the first":       {[]string{"/", "d05"}, false},
		"back":                {[]string{"/", "d05", "d03"}, false},
		"no list above":       {[]string{"d00", "d01"}, false},
		"the first":           {[]string{"/", "d00"}, true},
		"the first passed by": {[]string{"/", "d01"}, true},
		"in order":            {[]string{"/", "d05", "d07"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := slowWorld(t, Options{ListTTL: time.Minute}, 9)
				for _, dir := range c.dirs {
					require.NoError(t, second(afero.ReadDir(w.fs, dir)))
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Equal(t, c.ahead, w.lists() > len(c.dirs))
			})
		})
	}
}

// A list ahead that fails is not the walk's failure, if the remote answers when it gets there.
func TestFailedListAheadIsAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := slowWorld(t, Options{ListTTL: time.Minute}, 5)
		var mu sync.Mutex
		failed := map[string]bool{}
		w.line.Before(func(op faultfs.Op) error {
			mu.Lock()
			defer mu.Unlock()
			if op.Kind == faultfs.Readdir && path.Base(op.Name) == "e03" && !failed[op.Name] {
				failed[op.Name] = true
				return errDown
			}
			return nil
		})
		require.Equal(t, 25, w.walk(nil))
		require.Len(t, failed, 5)

		w.clock.advance(time.Minute)
		w.line.Offline(errDown)
		require.ErrorIs(t, second(afero.ReadDir(w.fs, "d00")), ErrUnavailable)
	})
}

// What is done through the Fs shows at once, also where it has listed ahead.
func TestChangeDuringAWalkShows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := slowWorld(t, Options{ListTTL: time.Minute}, 5)
		dirs, made := 0, 0
		files := w.walk(func(string) error {
			if dirs++; dirs%8 != 0 {
				return nil
			}
			made++
			return afero.WriteFile(w.fs, fmt.Sprintf("d04/e04/new%d", made), nil, 0o644)
		})
		require.Equal(t, 3, made, "of 31 directories")
		require.Equal(t, 25+made, files)
	})
}

// A walk that takes longer than ListTTL from where it is to what is listed ahead of it has less and less listed ahead.
func TestSlowWalkListsLittleAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := slowWorld(t, Options{ListTTL: 10 * time.Second}, 12)
		require.Equal(t, 144, w.walk(func(string) error {
			time.Sleep(2 * time.Second)
			w.clock.advance(4 * time.Second)
			return nil
		}))
		require.Less(t, w.lists(), 3*(1+12+144))
	})
}

// Close does not wait for what is listed ahead on a remote that ends its calls, and nothing is left of it.
func TestCloseEndsListsAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{ListTTL: time.Minute})
	for i := range 5 {
		w.put(fmt.Sprintf("d%d/f", i), "content")
	}
	held := make(chan struct{})
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Open && op.Name == "/d4" {
			<-held
		}
		return nil
	})
	require.NoError(t, second(afero.ReadDir(w.fs, "/")))
	require.NoError(t, second(afero.ReadDir(w.fs, "d0")))
	closed := make(chan error)
	go func() { closed <- w.fs.Close() }()
	require.NoError(t, <-closed)
	close(held)
	require.True(t, errors.Is(second(w.fs.Stat("d4")), fs.ErrClosed))
}
