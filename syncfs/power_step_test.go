package syncfs

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// The power is lost at each step of a call that puts other bytes under the name of a copy, or changes them: what is found
// under the name is what was there or what the call put there, whole; the server gets nothing else; and what was synced
// under another name is not lost.
func TestPowerLossAtEachStepOverACopy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call func(s *Fs) error
		kept bool // what was synced under temp is under temp or x
	}{
		"rename over": {func(s *Fs) error { return s.Rename("temp", "x") }, true},
		"rename to where one was": {func(s *Fs) error {
			return errors.Join(s.Remove("x"), s.Rename("temp", "x"))
		}, true},
		"rename over, and away": {func(s *Fs) error {
			return errors.Join(s.Rename("temp", "x"), s.Rename("x", "y"), s.Rename("y", "x"))
		}, false},
		"truncate and write": {func(s *Fs) error {
			f, err := s.OpenFile("x", os.O_RDWR|os.O_TRUNC, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("new")
			return errors.Join(err, f.Close())
		}, false},
		"create where one was": {func(s *Fs) error {
			return errors.Join(s.Remove("x"), afero.WriteFile(s, "x", []byte("new"), 0o644))
		}, false},
		"discard": {func(s *Fs) error {
			return errors.Join(s.Rename("x", "away"), s.Rename("temp", "x"), s.Discard("away"))
		}, false},
	} {
		for _, journal := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := stepWorld(t, journal)
				looks := 0
				w.plan.After(func(op faultfs.Op, err error) error {
					switch op.Kind {
					case faultfs.Sync, faultfs.Rename, faultfs.WriteAt, faultfs.Truncate, faultfs.Open, faultfs.Remove:
						looks++
						w.look(op, w.disk.Crash(), c.kept)
						for seed := range uint64(4) {
							w.look(op, w.disk.CrashRandom(seed), c.kept)
						}
					}
					return err
				})
				_ = c.call(w.s) // some are refused
				w.plan.After(nil)
				require.Greater(t, looks, 3)
				require.NoError(t, w.s.Close())
			})
		}
	}
}

type stepped struct {
	*testing.T
	disk *crashfs.Fs
	plan *faultfs.Plan
	s    *Fs
}

// stepServer is a remote that has x.
func stepServer(t *testing.T) afero.Fs {
	remote := aferotest.OS(t.TempDir())
	require.NoError(t, afero.WriteFile(remote, "x", []byte("old"), 0o644))
	return remote
}

// stepWorld has a copy of x, and a file temp that is synced.
func stepWorld(t *testing.T, journal bool) *stepped {
	w := &stepped{T: t, disk: crashfs.New(&crashfs.Options{Journal: journal}), plan: new(faultfs.Plan)}
	var err error
	w.s, err = New(stepServer(t), faultfs.New(w.disk, w.plan), trying(nil))
	require.NoError(t, err)
	require.NoError(t, w.s.Fetch(t.Context(), "x"))
	f, err := w.s.Create("temp")
	require.NoError(t, err)
	_, err = f.WriteString("new")
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
	return w
}

// look opens what is left of a disk, and pushes.
func (w *stepped) look(op faultfs.Op, left afero.Fs, kept bool) {
	w.Helper()
	remote := aferotest.OS(w.TempDir())
	require.NoError(w, afero.WriteFile(remote, "x", []byte("old"), 0o644))
	s, err := New(remote, left, trying(nil))
	require.NoError(w, err, "%v", op)
	require.NoError(w, s.Damage(), "%v", op)
	found := false
	for _, name := range []string{"x", "temp"} {
		text, err := afero.ReadFile(s, name)
		if err == nil && string(text) == "new" {
			found = true
		}
	}
	if kept {
		require.True(w, found, "%v: what was synced is lost", op)
	}
	if _, err := s.Push(w.Context()); err != nil {
		require.ErrorIs(w, err, ErrBusy, "%v", op)
	}
	text, err := afero.ReadFile(remote, "x")
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(w, err, "%v", op)
		require.Contains(w, []string{"old", "new"}, string(text), "%v", op)
	}
	require.NoError(w, s.Close())
}
