package syncfs

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A queued file that was being written once more when the power was lost is not pushed as it happens to be, however old
// the record is that the power has left.
func TestQueuedFileWrittenAgainAtPowerLoss(t *testing.T) {
	t.Parallel()
	for name, flag := range map[string]int{"emptied": os.O_TRUNC, "appended to": os.O_APPEND, "changed in place": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := crashfs.New(nil)
			remote := aferotest.OS(t.TempDir())
			s := newFs(t, remote, disk, nil)
			require.NoError(t, afero.WriteFile(s, "x", []byte("the whole"), 0o644))
			require.NoError(t, s.m.SyncLog())
			f, err := s.OpenFile("x", os.O_WRONLY|flag, 0)
			require.NoError(t, err)
			defer f.Close()
			_, err = f.WriteString("half of")
			require.NoError(t, err)
			syncOn(t, disk, "/x", "/") // before the log

			left := newFs(t, remote, disk.Crash(), nil)
			_, err = left.Push(t.Context())
			require.ErrorIs(t, err, ErrBusy)
			exists, err := afero.Exists(remote, "x")
			require.NoError(t, err)
			require.False(t, exists)
		})
	}
}

// The same if it was given a time of long ago after it was written.
func TestQueuedFileGivenTimeAtPowerLoss(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		disk := crashfs.New(nil)
		remote := aferotest.OS(t.TempDir())
		s := newFs(t, remote, disk, nil)
		f, err := s.Create("x")
		require.NoError(t, err)
		_, err = f.WriteString("half of ")
		require.NoError(t, err)
		syncOn(t, disk, "/x", "/")
		_, err = f.WriteString("the whole")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		if !lost {
			syncOn(t, disk, "/x")
		}
		long := time.Unix(1_000_000_000, 0)
		require.NoError(t, s.Chtimes("x", long, long))
		require.NoError(t, s.m.SyncLog())

		left := newFs(t, remote, disk.Crash(), nil)
		_, err = left.Push(t.Context())
		if lost {
			require.ErrorIs(t, err, ErrBusy)
			continue
		}
		require.NoError(t, err) // only the time is lost
		text, err := afero.ReadFile(remote, "x")
		require.NoError(t, err)
		require.Equal(t, "half of the whole", string(text))
	}
}

// A name that had other bytes before the power was lost does not make an unsynced file pass for an edit of those.
func TestNameTakenAgainAtPowerLoss(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(t *testing.T, s *Fs) afero.File{
		"renamed over": func(t *testing.T, s *Fs) afero.File {
			f, err := s.Create("temp")
			require.NoError(t, err)
			require.NoError(t, s.Rename("temp", "x"))
			return f
		},
		"removed and made": func(t *testing.T, s *Fs) afero.File {
			require.NoError(t, s.Remove("x"))
			f, err := s.Create("x")
			require.NoError(t, err)
			return f
		},
		"with its directory": func(t *testing.T, s *Fs) afero.File {
			require.NoError(t, s.Mkdir("d", 0o755))
			f, err := s.Create("d/x")
			require.NoError(t, err)
			require.NoError(t, s.Rename("x", "y"))
			require.NoError(t, s.Rename("d/x", "x"))
			return f
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, state := range []string{"queued", "a copy"} {
				disk := crashfs.New(nil)
				remote := aferotest.OS(t.TempDir())
				s := newFs(t, remote, disk, nil)
				require.NoError(t, afero.WriteFile(s, "x", []byte("the whole"), 0o644))
				if state == "a copy" {
					_, err := s.Push(t.Context())
					require.NoError(t, err)
				}
				require.NoError(t, s.m.SyncLog())
				syncOn(t, disk, "/x", "/")
				f := take(t, s)
				_, err := f.WriteString("half of")
				require.NoError(t, err)
				syncOn(t, disk, "/x", "/") // before the log
				left := newFs(t, remote, disk.Crash(), nil)
				require.NoError(t, f.Close())

				_, err = left.Push(t.Context())
				if err != nil {
					require.ErrorIs(t, err, ErrBusy)
				}
				text, err := afero.ReadFile(remote, "x")
				if !errors.Is(err, fs.ErrNotExist) {
					require.NoError(t, err)
					require.Equal(t, "the whole", string(text))
				}
			}
		})
	}
}

// syncOn has the system write back a file, or the names in a directory, before anything else.
func syncOn(t *testing.T, disk *crashfs.Fs, names ...string) {
	t.Helper()
	for _, name := range names {
		f, err := disk.Open(name)
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
	}
}

// A renamed file that Sync has acknowledged, and that was pushed, is not taken back by older bytes that the loss of power
// leaves under its name: on a disk that keeps names only for those who sync their directory.
func TestRenamedOverAtPowerLoss(t *testing.T) {
	t.Parallel()
	for _, over := range []string{"a copy", "a change"} {
		disk := crashfs.New(nil)
		remote := aferotest.OS(t.TempDir())
		require.NoError(t, afero.WriteFile(remote, "x", []byte("old"), 0o644))
		s := newFs(t, remote, disk, nil)
		if over == "a copy" {
			require.NoError(t, s.Fetch(t.Context(), "x"))
		} else {
			require.NoError(t, afero.WriteFile(s, "x", []byte("older"), 0o644))
			syncOn(t, disk, "/x", "/")
		}
		f, err := s.Create("temp")
		require.NoError(t, err)
		_, err = f.WriteString("synced")
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
		require.NoError(t, s.Rename("temp", "x"))
		_, err = s.Push(t.Context())
		require.NoError(t, err)

		left := newFs(t, remote, disk.Crash(), nil)
		for _, fsys := range []afero.Fs{left, remote} {
			text, err := afero.ReadFile(fsys, "x")
			require.NoError(t, err)
			require.Equal(t, "synced", string(text), over)
			_, err = left.Push(t.Context())
			require.NoError(t, err)
		}
	}
}

// A file whose Close has failed is not taken for whole: not now, and not after the loss of power.
func TestFailedCloseAtPowerLoss(t *testing.T) {
	t.Parallel()
	disk, plan := crashfs.New(&crashfs.Options{Journal: true}), new(faultfs.Plan)
	remote := aferotest.OS(t.TempDir())
	s := newFs(t, remote, faultfs.New(disk, plan), nil)
	f, err := s.Create("x")
	require.NoError(t, err)
	_, err = f.WriteString("the whole")
	require.NoError(t, err)
	plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Fstat {
			return errDown
		}
		return nil
	})
	require.ErrorIs(t, f.Close(), errDown)
	plan.Heal()
	require.NoError(t, s.m.SyncLog())
	left := newFs(t, remote, disk.Crash(), nil)
	for _, fsys := range []*Fs{s, left} {
		_, err = fsys.Push(t.Context())
		require.ErrorIs(t, err, ErrBusy)
	}
	exists, err := afero.Exists(remote, "x")
	require.NoError(t, err)
	require.False(t, exists)
}

// What was renamed out of a directory, and Sync had acknowledged, does not go with the directory: on a disk that keeps
// names only for those who sync their directory.
func TestRenamedOutOfRemovedAtPowerLoss(t *testing.T) {
	t.Parallel()
	disk := crashfs.New(nil)
	remote := aferotest.OS(t.TempDir())
	s := newFs(t, remote, disk, nil)
	require.NoError(t, s.Mkdir("d", 0o755))
	require.NoError(t, s.Mkdir("e", 0o755))
	f, err := s.Create("d/x")
	require.NoError(t, err)
	_, err = f.WriteString("synced")
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
	require.NoError(t, s.Rename("d/x", "e/x"))
	require.NoError(t, s.RemoveAll("d"))

	for seed := range uint64(300) {
		left, err := New(remote, disk.CrashRandom(seed), nil)
		require.NoError(t, err)
		texts := map[string]bool{}
		for _, e := range contents(t, left) {
			texts[e.Content] = true
		}
		require.NoError(t, left.Close())
		require.True(t, texts["synced"], "seed %d", seed)
	}
}

// What was renamed before a process ended, or died, has its new name as long as the record of that lasts: on a disk that
// keeps names only for those who sync their directory.
func TestRenamedBeforeRestartAtPowerLoss(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"close", "kill"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			disk, plan := crashfs.New(nil), new(faultfs.Plan)
			remote := aferotest.OS(t.TempDir())
			s, err := New(remote, faultfs.New(disk, plan), nil)
			require.NoError(t, err)
			require.NoError(t, s.Mkdir("d", 0o755))
			f, err := s.Create("d/temp")
			require.NoError(t, err)
			_, err = f.WriteString("synced")
			require.NoError(t, err)
			require.NoError(t, f.Sync())
			require.NoError(t, f.Close())
			require.NoError(t, s.Rename("d/temp", "x"))
			if end == "kill" {
				plan.Offline(errDown)
			}
			_ = s.Close()
			if end == "kill" {
				require.NoError(t, newFs(t, remote, disk, nil).m.SyncLog())
			}

			left := newFs(t, remote, disk.Crash(), nil)
			text, err := afero.ReadFile(left, "x")
			require.NoError(t, err)
			require.Equal(t, "synced", string(text))
		})
	}
}

// A rename over a copy that is made when the log is read again, since the process died before it, does not last longer
// than its record: what is under the name then is not taken for an edit of the copy.
func TestRenameOverCopyAfterKillAtPowerLoss(t *testing.T) {
	t.Parallel()
	disk, plan := crashfs.New(&crashfs.Options{Journal: true}), new(faultfs.Plan)
	remote := aferotest.OS(t.TempDir())
	require.NoError(t, afero.WriteFile(remote, "x", []byte("old"), 0o644))
	s, err := New(remote, faultfs.New(disk, plan), nil)
	require.NoError(t, err)
	require.NoError(t, s.Fetch(t.Context(), "x"))
	require.NoError(t, afero.WriteFile(s, "temp", []byte("never synced"), 0o644))
	require.NoError(t, s.m.SyncLog())
	plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename {
			plan.Offline(errDown)
			return errDown
		}
		return nil
	})
	require.Error(t, s.Rename("temp", "x"))
	_ = s.Close()
	newFs(t, remote, disk, nil)
	syncOn(t, disk, "/")

	left := newFs(t, remote, disk.Crash(), nil)
	_, err = left.Push(t.Context())
	if err != nil {
		require.ErrorIs(t, err, ErrBusy)
	}
	text, err := afero.ReadFile(remote, "x")
	require.NoError(t, err)
	require.Contains(t, []string{"old", "never synced"}, string(text))
}

// A publication that was not made is known as that after the loss of power, though its temporary file was swept before.
func TestSweptAtPowerLoss(t *testing.T) {
	t.Parallel()
	disk, plan := crashfs.New(nil), new(faultfs.Plan)
	remote := aferotest.OS(t.TempDir())
	require.NoError(t, afero.WriteFile(remote, "x", []byte("old"), 0o644))
	s := newFs(t, faultfs.New(remote, plan), disk, &Options{Cache: cachefs.Options{Parallel: 1}})
	require.NoError(t, afero.WriteFile(s, "x", []byte("the first"), 0o644))
	plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename { // the publication
			plan.Offline(errDown)
			return errDown
		}
		return nil
	})
	_, err := s.Push(t.Context())
	require.ErrorIs(t, err, ErrUnavailable)
	plan.Heal()
	require.NoError(t, afero.WriteFile(s, "temp", []byte("another one"), 0o644))
	require.NoError(t, s.Rename("temp", "x"))
	syncOn(t, disk, "/x", "/")
	require.NoError(t, s.m.SyncLog())

	var after *crashfs.Fs
	plan.After(func(op faultfs.Op, err error) error {
		if op.Kind == faultfs.Remove && after == nil { // the sweep
			after = disk.Crash()
			plan.Offline(errDown)
		}
		return err
	})
	_, err = s.Push(t.Context())
	require.Error(t, err)
	require.NotNil(t, after)
	_, err = newFs(t, remote, after, nil).Push(t.Context())
	require.NoError(t, err)
	text, err := afero.ReadFile(remote, "x")
	require.NoError(t, err)
	require.Equal(t, "another one", string(text))
}
