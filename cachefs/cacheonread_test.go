package cachefs

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// This file has a test for each thing that afero.CacheOnReadFs gets wrong.

func TestSecondReaderDuringDownloadGetsAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "the whole content")
	arrived, release := w.blockAt(faultfs.Read)
	first, second := make(chan string), make(chan string)
	go func() { first <- w.read("f") }()
	<-arrived
	w.requireNoLocal("f")
	go func() { second <- w.read("f") }()
	release()
	require.Equal(t, "the whole content", <-first)
	require.Equal(t, "the whole content", <-second)
}

func TestCrashDuringDownloadLeavesNoShortFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/f", "the whole content")
	// What is on the disk at each operation of the remote is what a process that dies there leaves.
	var crashed []string
	var mu sync.Mutex
	w.line.Before(func(op faultfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		dir := filepath.Join(t.TempDir(), "crashed")
		if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
			return err
		}
		crashed = append(crashed, dir)
		return nil
	})
	w.requireRead("the whole content", "d/f")
	w.line.Before(nil)
	require.Greater(t, len(crashed), 4)
	for _, w.dir = range crashed {
		w.restart()
		w.requireRead("the whole content", "d/f")
		w.requireNoLeftovers()
	}
}

func TestTruncatingOpenOfUncachedFileWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "old")
	f, err := w.fs.OpenFile("f", os.O_WRONLY|os.O_TRUNC, 0)
	require.NoError(t, err)
	_, err = f.WriteString("new content")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	w.requireRead("new content", "f")
}

// One that the remote refuses has not truncated anything.
func TestRefusedTruncatingOpenChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "old")
	w.requireRead("old", "f")
	w.down()
	_, err := w.fs.OpenFile("f", os.O_WRONLY|os.O_TRUNC, 0)
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = w.fs.Open("f") // it may have truncated it, for all that is known
	require.ErrorIs(t, err, ErrUnavailable)
	w.requireLocal("old", "f")
	w.up()
	w.requireRead("old", "f")
	content, err := afero.ReadFile(w.remote, "f")
	require.NoError(t, err)
	require.Equal(t, "old", string(content))
}

func TestExclusiveCreateWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("there", "x")
	f, err := w.fs.OpenFile("f", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	require.NoError(t, err)
	_, err = f.WriteString("new")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	w.requireRead("new", "f")
	for _, name := range []string{"f", "there"} {
		_, err = w.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
		require.ErrorIs(t, err, fs.ErrExist)
	}
}

func TestRemoveOfUncachedFileSucceeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "x")
	require.NoError(t, w.fs.Remove("f"))
	_, err := w.remote.Stat("f")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, w.fs.Remove("f"), fs.ErrNotExist)
}

func TestReadAtLeavesPositionAlone(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]Options{"copy": {}, "read through": {MaxBytes: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, opts)
			w.put("f", "0123456789")
			f, err := w.fs.Open("f")
			require.NoError(t, err)
			defer f.Close()
			b := make([]byte, 3)
			_, err = f.ReadAt(b, 5)
			require.NoError(t, err)
			require.Equal(t, "567", string(b))
			all, err := io.ReadAll(f)
			require.NoError(t, err)
			require.Equal(t, "0123456789", string(all))
		})
	}
}

func TestRefusedWriteIsNotCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "old")
	w.requireRead("old", "f")
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Write {
			return syscall.ENOSPC
		}
		return nil
	})
	f, err := w.fs.OpenFile("f", os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("new")
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
	w.requireRead("old", "f")
}

func TestDeletionOnTheRemoteIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always})
	w.put("d/f", "x")
	w.put("d/g", "y")
	w.requireRead("x", "d/f")
	w.requireRead("y", "d/g")
	require.NoError(t, w.remote.Remove("d/f"))
	require.NoError(t, w.remote.Remove("d/g"))
	require.Nil(t, w.listed("d/g"), "the listing that learns of it does not show it either")
	_, err := w.fs.Open("d/f")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotErrorIs(t, err, ErrUnavailable)
	_, err = w.fs.Stat("d/f")
	require.ErrorIs(t, err, fs.ErrNotExist)
	w.requireNoLocal("d/f")
	w.requireNoLocal("d/g")
}

func TestFreshnessCountsFromTheLastCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: time.Hour})
	w.put("f", "old") // modified a day ago
	w.requireRead("old", "f")
	w.requireAsked(0, func() { w.requireRead("old", "f") })
	w.clock.advance(59 * time.Minute)
	w.requireAsked(0, func() { w.requireRead("old", "f") })
	w.clock.advance(time.Minute)
	w.requireAsked(1, func() { w.requireRead("old", "f") })
	w.clock.advance(59 * time.Minute)
	w.requireAsked(0, func() { w.requireRead("old", "f") })
}

func TestUnreachableRemoteDeletesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always})
	w.put("d/f", "content")
	w.requireRead("content", "d/f")
	w.down()
	_, err := w.fs.Open("d/f")
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = w.fs.Stat("d/f")
	require.ErrorIs(t, err, ErrUnavailable)
	w.requireLocal("content", "d/f")
	w.up()
	w.requireFetched(0, func() { w.requireRead("content", "d/f") })
}

func TestStaleIfUnavailableServesTheCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: Always, StaleIfUnavailable: true})
	w.put("d/f", "content")
	w.requireRead("content", "d/f")
	w.down()
	w.requireRead("content", "d/f")
	fi, err := w.fs.Stat("d/f")
	require.NoError(t, err)
	require.Equal(t, int64(7), fi.Size())
	_, err = w.fs.Open("d/other")
	require.ErrorIs(t, err, ErrUnavailable)
	w.up()
	w.put("d/f", "another version")
	w.requireRead("another version", "d/f")
}
