package cachefs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

func names(r Report) []string {
	var all []string
	for _, result := range r.Results {
		all = append(all, result.Name)
	}
	slices.Sort(all)
	return all
}

func TestPull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, name := range []string{"top", "d/a", "d/b", "d/sub/deep/c", "empty-file"} {
		w.put(name, path.Base(name))
	}
	w.put("empty-file", "")
	require.NoError(t, w.remote.MkdirAll("d/empty", 0o755))
	w.putLocal("d/own", "the user's")
	require.NoError(t, os.MkdirAll(w.local("d/own-empty/sub"), 0o755))

	r, err := w.fs.Pull(t.Context(), "d")
	require.NoError(t, err)
	require.Equal(t, []string{"d/a", "d/b", "d/own", "d/sub/deep/c"}, names(r))
	require.Equal(t, int64(3), r.Bytes)
	require.Zero(t, r.Failed)
	w.requireNoLocal("top")
	w.requireLocal("c", "d/sub/deep/c")
	require.DirExists(t, w.local("d/own-empty/sub"))

	r, err = w.fs.Pull(t.Context(), "/")
	require.NoError(t, err)
	require.DirExists(t, w.local("d/own-empty/sub"))
	require.Len(t, r.Results, 6)
	require.Equal(t, int64(3), r.Bytes)
	w.down()
	for _, name := range []string{"top", "d/a", "d/b", "d/sub/deep/c"} {
		w.requireRead(path.Base(name), name)
	}
}

// It fetches other versions whatever Revalidate says, and asks for no more than the lists.
func TestPullFetchesOtherVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for i := range 20 {
		w.put(fmt.Sprintf("d/%d", i), "content")
	}
	require.NoError(t, second(w.fs.Pull(t.Context(), "d")))
	w.requireFetched(0, func() {
		w.requireAsked(3, func() { // open, readdir, close
			r, err := w.fs.Pull(t.Context(), "d")
			require.NoError(t, err)
			require.Len(t, r.Results, 20)
			require.Zero(t, r.Bytes)
		})
	})
	w.put("d/7", "newer")
	require.NoError(t, w.remote.Remove("d/8"))
	r, err := w.fs.Pull(t.Context(), "d")
	require.NoError(t, err)
	require.Len(t, r.Results, 19)
	require.Equal(t, int64(5), r.Bytes)
	w.requireOneVersion("newer", "d/7")
	require.ErrorIs(t, second(w.fs.Open("d/8")), fs.ErrNotExist)
	w.requireNoLocal("d/8")
}

func TestPullGoesOnAfterErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, name := range []string{"a", "b", "d/c", "e/f"} {
		w.put(name, "content")
	}
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Open {
			switch op.Name {
			case "/a":
				return errDown
			case "/d":
				return syscall.EACCES
			}
		}
		return nil
	})
	r, err := w.fs.Pull(t.Context(), "/")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "pull a:")
	require.ErrorContains(t, err, "pull d:")
	require.Equal(t, []string{"a", "b", "e/f"}, names(r))
	require.Equal(t, 1, r.Failed)
	for _, result := range r.Results {
		if result.Name == "a" {
			require.ErrorIs(t, result.Err, ErrUnavailable)
		} else {
			require.NoError(t, result.Err)
		}
	}
	w.requireLocal("content", "b")
	w.requireLocal("content", "e/f")
	require.ErrorIs(t, second(w.fs.Pull(t.Context(), "missing")), fs.ErrNotExist)
	require.ErrorIs(t, second(w.fs.Pull(t.Context(), "b")), syscall.ENOTDIR)
}

func TestPullIsParallel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Parallel: 4})
	for i := range 12 {
		w.put(fmt.Sprintf("d/%d", i), "content")
	}
	var reading, most atomic.Int32
	together := make(chan struct{})
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Read && reading.Add(1) == 4 {
			close(together)
		}
		if op.Kind == faultfs.Read {
			<-together // none goes on before four have come
		}
		return nil
	})
	var open atomic.Int32
	w.line.After(func(op faultfs.Op, err error) error {
		switch op.Kind {
		case faultfs.Open:
			most.Store(max(most.Load(), open.Add(1)))
		case faultfs.Close:
			open.Add(-1)
		}
		return err
	})
	r, err := w.fs.Pull(t.Context(), "d")
	require.NoError(t, err)
	require.Len(t, r.Results, 12)
	require.LessOrEqual(t, most.Load(), int32(4))
}

func TestPullEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, kind := range []faultfs.Kind{faultfs.Read, faultfs.Readdir} {
		w := newWorld(t, Options{Parallel: 2})
		for i := range 100 {
			w.put(fmt.Sprintf("d/%d", i), "content")
		}
		arrived, release := w.blockAt(kind)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- second(w.fs.Pull(ctx, "/")) }()
		<-arrived
		cancel()
		select {
		case err := <-ended: // while the remote, which knows no contexts, is still at it
			require.ErrorIs(t, err, context.Canceled)
			require.Less(t, len(err.Error()), 200, "said once")
		case <-time.After(10 * time.Second):
			t.Fatal("it goes on")
		}
		release()
		w.requireAllClosed()
	}
}
