package faultfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

func TestHooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen []string
	w.plan.Before(func(op faultfs.Op) error {
		seen = append(seen, fmt.Sprintf("%s %d", op.Kind, w.plan.Count(op.Kind))) // may use the Plan
		if op.Kind == faultfs.Remove {
			return errLost
		}
		return nil
	})
	w.plan.After(func(op faultfs.Op, err error) error {
		if op.Kind == faultfs.Stat && errors.Is(err, fs.ErrNotExist) {
			return errLost
		}
		return err
	})
	require.ErrorIs(t, w.Remove("f"), errLost)
	require.Contains(t, content(t, w.under), "f")
	_, err := w.Stat("f")
	require.NoError(t, err)
	_, err = w.Stat("no")
	require.ErrorIs(t, err, errLost)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.Equal(t, []string{"remove 1", "stat 1", "stat 2"}, seen)

	w.plan.Before(nil)
	w.plan.After(nil)
	require.NoError(t, w.Remove("f"))
	require.Len(t, seen, 3)
}

// TestHookMayBlock has one operation wait for another.
func TestHookMayBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entered, release := make(chan struct{}), make(chan struct{})
	w.plan.Before(func(op faultfs.Op) error {
		if op.Name == "waits" {
			close(entered)
			<-release
		}
		return nil
	})
	done := make(chan error)
	go func() { done <- w.Mkdir("waits", 0o700) }()
	<-entered
	require.NoError(t, w.Mkdir("passes", 0o700))
	require.NotContains(t, content(t, w.under), "waits")
	close(release)
	require.NoError(t, <-done)
}

func TestTwoFsShareASequence(t *testing.T) {
	t.Parallel()
	plan := new(faultfs.Plan)
	a, b := faultfs.New(crashfs.New(nil), plan), faultfs.New(crashfs.New(nil), plan)
	plan.Once(1, nil)
	require.NoError(t, a.Mkdir("d", 0o700))
	require.ErrorIs(t, b.Mkdir("d", 0o700), faultfs.ErrInjected)
	require.NoError(t, a.Mkdir("e", 0o700))
	require.Equal(t, []faultfs.Op{{Kind: faultfs.Mkdir, Name: "d", Index: 1}}, plan.Fired())
	require.Equal(t, `1 mkdir "d"`, plan.Fired()[0].String())
}

func TestBaseWithoutLinks(t *testing.T) {
	t.Parallel()
	fsys := faultfs.New(crashfs.New(nil), nil)
	require.NoError(t, afero.WriteFile(fsys, "f", nil, 0o600))
	fi, did, err := fsys.LstatIfPossible("f")
	require.NoError(t, err)
	require.False(t, did)
	require.Equal(t, "f", fi.Name())
	require.ErrorIs(t, fsys.SymlinkIfPossible("f", "l"), afero.ErrNoSymlink)
	_, err = fsys.ReadlinkIfPossible("f")
	require.ErrorIs(t, err, afero.ErrNoReadlink)
}

func TestOpenFiles(t *testing.T) {
	t.Parallel()
	fsys := faultfs.New(crashfs.New(nil), nil)
	f, err := fsys.Create("f")
	require.NoError(t, err)
	d, err := fsys.Open("/")
	require.NoError(t, err)
	require.Equal(t, []string{"/", "f"}, fsys.Plan().OpenFiles())
	require.NoError(t, f.Close())
	require.NoError(t, d.Close())
	require.Empty(t, fsys.Plan().OpenFiles())
}

func TestFaultsUnderConcurrency(t *testing.T) {
	t.Parallel()
	plan := new(faultfs.Plan)
	fsys := faultfs.New(crashfs.New(nil), plan)
	const n = 50
	for i := range n {
		plan.Once(2*i, nil)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	failed := 0
	for i := range 2 * n {
		wg.Go(func() {
			if fsys.Mkdir(fmt.Sprint(i), 0o700) != nil {
				mu.Lock()
				failed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, n, failed)
	require.Len(t, plan.Fired(), n)
	require.Len(t, content(t, fsys), n)
}
