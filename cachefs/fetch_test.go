package cachefs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

func TestManyFirstReadersFetchOnce(t *testing.T) {
	t.Parallel()
	for _, revalidate := range []time.Duration{0, Always} {
		w := newWorld(t, Options{Revalidate: revalidate})
		content := make([]byte, 100_000)
		_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
		w.put("d/f", string(content))
		start := make(chan struct{})
		var readers sync.WaitGroup
		for range 1000 {
			readers.Go(func() {
				<-start
				got, err := afero.ReadFile(w.fs, "d/f")
				if err != nil || string(got) != string(content) {
					t.Errorf("read %d bytes: %v", len(got), err)
				}
			})
		}
		close(start)
		readers.Wait()
		require.Equal(t, 1, w.line.Count(faultfs.Open))
		require.Equal(t, int64(len(content)), w.line.BytesRead())
		if revalidate == 0 {
			w.requireAsked(0, func() { w.requireRead(string(content), "d/f") })
			w.requireAsked(0, func() { require.NoError(t, second(w.fs.Stat("d/f"))) })
			w.requireAsked(0, func() { require.NoError(t, w.fs.Fetch(t.Context(), "d/f")) })
		}
	}
}

func TestFetchThatEndsEarlyIsAnError(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		err  error
		want error
	}{
		"cut":   {errDown, ErrUnavailable},
		"short": {io.EOF, io.ErrUnexpectedEOF},
		"other": {syscall.EIO, syscall.EIO},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, first := range []bool{true, false} {
				w := newWorld(t, Options{Revalidate: Always})
				if !first {
					w.put("d/f", "old")
					w.requireRead("old", "d/f")
				}
				w.put("d/f", string(make([]byte, 800_000)))
				reads := 0
				w.line.Before(func(op faultfs.Op) error {
					if op.Kind == faultfs.Read || op.Kind == faultfs.ReadAt {
						if reads++; reads > 2 {
							return end.err
						}
					}
					return nil
				})
				_, err := afero.ReadFile(w.fs, "d/f")
				require.ErrorIs(t, err, end.want)
				require.NotErrorIs(t, err, fs.ErrNotExist)
				requireNames(t, err, "read", "d/f")
				w.requireNoLeftovers()
				if first {
					w.requireNoLocal("d/f")
				} else {
					w.requireLocal("old", "d/f")
				}
				w.line.Before(nil)
				w.requireOneVersion(string(make([]byte, 800_000)), "d/f")
				w.requireNoLeftovers()
			}
		})
	}
}

func requireNames(t testing.TB, err error, op, name string) {
	t.Helper()
	var pe *fs.PathError
	require.ErrorAs(t, err, &pe)
	require.Equal(t, op, pe.Op)
	require.Equal(t, name, pe.Path)
	require.NotErrorAs(t, pe.Err, &pe, "names operation and path twice")
}

func TestVersionThatChangesDuringFetchIsFetchedAnew(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"shorter":   func(w *world) { w.put("f", "x") },
		"longer":    func(w *world) { w.put("f", "much longer than before") },
		"same size": func(w *world) { w.put("f", "NEW") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.put("f", "old")
			reads := 0
			w.line.After(func(op faultfs.Op, err error) error {
				if op.Kind == faultfs.Read {
					if reads++; reads == 1 {
						change(w)
					}
				}
				return err
			})
			got := w.read("f")
			want, err := afero.ReadFile(w.remote, "f")
			require.NoError(t, err)
			require.Equal(t, string(want), got)
			w.requireOneVersion(got, "f")
		})
	}
}

// One that never stands still is an error, not a mixture.
func TestVersionThatChangesWheneverItIsFetched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	content := "x"
	w.put("f", content)
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Read {
			content += "x"
			w.put("f", content)
		}
		return nil
	})
	require.ErrorIs(t, w.fs.Fetch(t.Context(), "f"), ErrChanged)
	w.requireNoLocal("f")
	w.requireNoLeftovers()
}

func TestWaiterLeavesAndOthersGetTheFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "content")
	arrived, release := w.blockAt(faultfs.Read)
	stays := make(chan string)
	go func() { stays <- w.read("f") }()
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	leaves := make(chan error)
	go func() { leaves <- second(afero.ReadFile(w.with(ctx), "f")) }()
	cancel()
	require.ErrorIs(t, <-leaves, context.Canceled)
	release()
	require.Equal(t, "content", <-stays)
	require.Equal(t, 1, w.line.Count(faultfs.Open))
}

func TestFetchEndsWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", string(make([]byte, 1<<20)))
	arrived, release := w.blockAt(faultfs.Read)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- w.fs.Fetch(ctx, "f") }()
	<-arrived
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
	release()
	w.requireAllClosed()
	require.Less(t, w.line.BytesRead(), int64(1<<20))
	w.requireNoLocal("f")
	w.requireRead(string(make([]byte, 1<<20)), "f")
	w.requireNoLeftovers()
}

func TestEndedContextAsksNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "content")
	w.put("here", "content")
	w.requireRead("content", "here")
	w.requireAllClosed()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.requireAsked(0, func() {
		require.ErrorIs(t, second(w.with(ctx).Open("f")), context.Canceled)
		require.ErrorIs(t, second(w.with(ctx).Stat("f")), context.Canceled)
		require.ErrorIs(t, w.fs.Fetch(ctx, "f"), context.Canceled)
		require.ErrorIs(t, w.with(ctx).Remove("f"), context.Canceled)
		require.ErrorIs(t, w.with(ctx).Mkdir("d", 0o755), context.Canceled)
		content, err := afero.ReadFile(w.with(ctx), "here")
		require.NoError(t, err, "what is here needs nobody")
		require.Equal(t, "content", string(content))
	})
	w.requireLocal("content", "here")
}

func TestCloseEndsFetches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", string(make([]byte, 1<<20)))
	arrived, release := w.blockAt(faultfs.Read)
	waiting := make(chan error)
	for range 3 {
		go func() { waiting <- second(afero.ReadFile(w.fs, "f")) }()
	}
	<-arrived
	closed := make(chan error)
	go func() { closed <- w.fs.Close() }()
	for range 3 {
		require.ErrorIs(t, <-waiting, fs.ErrClosed)
	}
	release()
	require.NoError(t, <-closed)
	w.requireNoLocal("f")
	w.requireAllClosed()
}

func TestCallsAfterCloseAreErrClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "content")
	w.requireRead("content", "f")
	dir, err := w.fs.Open("/")
	require.NoError(t, err)
	require.NoError(t, w.fs.Close())
	require.NoError(t, w.fs.Close(), "twice")
	before := w.line.Total()
	for name, err := range w.everyCall("f") {
		require.ErrorIs(t, err, fs.ErrClosed, name)
	}
	_, err = dir.Readdir(-1)
	require.ErrorIs(t, err, fs.ErrClosed)
	require.NoError(t, dir.Close())
	require.Equal(t, before, w.line.Total(), "operations of the remote")
}

// everyCall makes every call that takes a name, and returns the errors.
func (w *world) everyCall(name string) map[string]error {
	ctx, then := w.Context(), time.Unix(1_000_000_000, 0)
	file := func(f afero.File, err error) error {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
		return err
	}
	_, _, lstatErr := w.fs.LstatIfPossible(name)
	return map[string]error{
		"open":     file(w.fs.Open(name)),
		"openfile": file(w.fs.OpenFile(name, os.O_RDONLY, 0)),
		"write":    file(w.fs.OpenFile(name, os.O_WRONLY, 0)),
		"append":   file(w.fs.OpenFile(name, os.O_RDWR|os.O_APPEND, 0)),
		"truncate": file(w.fs.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)),
		"stat":     second(w.fs.Stat(name)),
		"lstat":    lstatErr,
		"readlink": second(w.fs.ReadlinkIfPossible(name)),
		"fetch":    w.fs.Fetch(ctx, name),
		"pull":     second(w.fs.Pull(ctx, name)),
		"remove":   w.fs.Remove(name),
		"rename":   w.fs.Rename(name, "other"),
		"chmod":    w.fs.Chmod(name, 0o600),
		"chown":    w.fs.Chown(name, os.Getuid(), os.Getgid()),
		"chtimes":  w.fs.Chtimes(name, then, then),
		"list dir": second(afero.ReadDir(w.fs, name)),
		"walk":     afero.Walk(w.fs, name, func(_ string, _ fs.FileInfo, err error) error { return err }),
		"create":   file(w.fs.OpenFile(name+"-dir/f", os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)),
	}
}

func TestRemoteIsMissingOrSilent(t *testing.T) {
	t.Parallel()
	t.Run("absent", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{})
		for name, err := range w.everyCall("d/missing") {
			require.ErrorIs(t, err, fs.ErrNotExist, name)
			require.NotErrorIs(t, err, ErrUnavailable, name)
		}
		require.NoError(t, w.fs.RemoveAll("d/missing"))
	})
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{})
		w.put("d/f", "content")
		w.down()
		for _, name := range []string{"d/f", "d/missing"} {
			errs := w.everyCall(name)
			errs["removeall"] = w.fs.RemoveAll(name)
			errs["mkdir"] = w.fs.Mkdir(name+"x", 0o755)
			errs["mkdirall"] = w.fs.MkdirAll(name+"x/y", 0o755)
			errs["truncating create"] = second(w.fs.Create(name))
			errs["symlink"] = w.fs.SymlinkIfPossible("target", name)
			errs["list"] = second(afero.ReadDir(w.fs, "/"))
			for call, err := range errs {
				require.ErrorIs(t, err, ErrUnavailable, call)
				require.ErrorIs(t, err, errDown, call)
				require.NotErrorIs(t, err, fs.ErrNotExist, call)
			}
		}
		w.up()
		w.requireRead("content", "d/f")
	})
	t.Run("refusal", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{})
		w.put("f", "content")
		w.line.Offline(syscall.EACCES)
		for call, err := range w.everyCall("f") {
			require.ErrorIs(t, err, fs.ErrPermission, call)
			require.NotErrorIs(t, err, fs.ErrNotExist, call)
			require.NotErrorIs(t, err, ErrUnavailable, call)
		}
	})
}

// Without an answer, no call takes anything away.
func TestCallsWithoutAnAnswerKeepCopies(t *testing.T) {
	t.Parallel()
	for _, revalidate := range []time.Duration{0, Always} {
		for _, err := range []error{errDown, syscall.EACCES, syscall.EIO} {
			w := newWorld(t, Options{Revalidate: revalidate, StaleIfUnavailable: true})
			w.put("d/f", "content")
			w.requireRead("content", "d/f")
			w.line.Offline(err)
			for call, err := range w.everyCall("d/f") {
				require.NotErrorIs(t, err, fs.ErrNotExist, call)
			}
			require.Error(t, w.fs.RemoveAll("d"))
			w.requireRead("content", "d/f")
			w.requireLocal("content", "d/f")
			w.restart()
			w.requireRead("content", "d/f")
			w.up()
			w.requireFetched(0, func() { w.requireOneVersion("content", "d/f") })
		}
	}
}
