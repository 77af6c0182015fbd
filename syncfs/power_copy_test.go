package syncfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// powerless are the states in which the loss of power may leave a disk. The names in it are there, whatever is in the files.
func powerless(t *testing.T, disk *crashfs.Fs, names ...string) map[string]*crashfs.Fs {
	t.Helper()
	left := map[string]*crashfs.Fs{"nothing": nil}
	for seed := range uint64(40) {
		left[fmt.Sprintf("seed %d", seed)] = nil
	}
	for how := range left {
		var seed uint64
		after := disk.Crash()
		if n, _ := fmt.Sscanf(how, "seed %d", &seed); n == 1 {
			after = disk.CrashRandom(seed)
		}
		for _, name := range names {
			_, err := after.Stat(name)
			require.NoError(t, err, how)
		}
		left[how] = after
	}
	return left
}

// A small copy is not synced. What a loss of power has left of it is never taken for the file, nor for an edit of it.
func TestCopyAtPowerLoss(t *testing.T) {
	t.Parallel()
	const text = "the whole of what is there"
	read := func(t *testing.T, s *Fs, name string) {
		t.Helper()
		got, err := afero.ReadFile(s, name)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
	for name, use := range map[string]func(t *testing.T, s *Fs, plan *faultfs.Plan){
		"read":  func(t *testing.T, s *Fs, _ *faultfs.Plan) { read(t, s, "d/x") },
		"fetch": func(t *testing.T, s *Fs, _ *faultfs.Plan) { require.NoError(t, s.Fetch(t.Context(), "d/x")) },
		"pull": func(t *testing.T, s *Fs, _ *faultfs.Plan) {
			_, err := s.Pull(t.Context(), "")
			require.NoError(t, err)
		},
		"list": func(t *testing.T, s *Fs, _ *faultfs.Plan) {
			infos, err := afero.ReadDir(s, "d")
			require.NoError(t, err)
			require.Len(t, infos, 1)
			require.Equal(t, int64(len(text)), infos[0].Size())
		},
		"stat": func(t *testing.T, s *Fs, _ *faultfs.Plan) {
			info, err := s.Stat("d/x")
			require.NoError(t, err)
			require.Equal(t, int64(len(text)), info.Size())
		},
		"rename": func(t *testing.T, s *Fs, _ *faultfs.Plan) {
			require.NoError(t, s.Rename("d/x", "d/y"))
			read(t, s, "d/y")
			require.NoError(t, s.Rename("d/y", "d/x"))
		},
		"rename its directory": func(t *testing.T, s *Fs, _ *faultfs.Plan) {
			require.NoError(t, s.Rename("d", "e"))
			read(t, s, "e/x")
			require.NoError(t, s.Rename("e", "d"))
		},
		"append": func(t *testing.T, s *Fs, _ *faultfs.Plan) {
			f, err := s.OpenFile("d/x", os.O_WRONLY|os.O_APPEND, 0)
			require.NoError(t, err)
			_, err = f.WriteString(" and more")
			require.NoError(t, err)
			require.NoError(t, f.Close())
			got, err := afero.ReadFile(s, "d/x")
			require.NoError(t, err)
			require.Equal(t, text+" and more", string(got))
			require.NoError(t, s.Discard("d/x"))
		},
		"change of mode": func(t *testing.T, s *Fs, _ *faultfs.Plan) { require.NoError(t, s.Chmod("d/x", 0o600)) },
		"add": func(t *testing.T, s *Fs, _ *faultfs.Plan) {
			if err := s.Add("d/x"); err != nil {
				require.ErrorIs(t, err, fs.ErrNotExist)
			}
		},
		"add all": func(t *testing.T, s *Fs, _ *faultfs.Plan) {
			require.NoError(t, s.AddDir("", nil))
			require.Empty(t, s.Pending())
		},
		"the remote is away": func(t *testing.T, s *Fs, plan *faultfs.Plan) {
			plan.Offline(errDown)
			got, err := afero.ReadFile(s, "d/x")
			if err != nil {
				require.ErrorIs(t, err, ErrUnavailable)
			} else {
				require.Equal(t, text, string(got))
			}
			plan.Heal()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remote := aferotest.OS(t.TempDir())
			require.NoError(t, remote.Mkdir("d", 0o755))
			require.NoError(t, afero.WriteFile(remote, "d/x", []byte(text), 0o644))
			long := time.Unix(1_000_000_000, 0)
			require.NoError(t, remote.Chtimes("d/x", long, long))
			disk := crashfs.New(&crashfs.Options{Journal: true, Inodes: true})
			s := newFs(t, remote, disk, nil)
			read(t, s, "d/x")
			require.NoError(t, s.Fetch(t.Context(), "d/x"))
			require.NoError(t, s.m.SyncLog())
			syncOn(t, disk, "/", "/d") // the names
			for how, after := range powerless(t, disk, "/d/x") {
				t.Run(how, func(t *testing.T) {
					plan := new(faultfs.Plan)
					left, err := New(faultfs.New(remote, plan), after, trying(nil))
					require.NoError(t, err)
					defer left.Close()
					require.NoError(t, left.Damage())
					use(t, left, plan)
					_, err = left.Push(t.Context())
					require.NoError(t, err)
					read(t, left, "d/x")
					got, err := afero.ReadFile(remote, "d/x")
					require.NoError(t, err)
					require.Equal(t, text, string(got))
				})
			}
		})
	}
}

// A file system may keep the size and the times of a file, and lose what is in it. On a disk whose clock stands still, a test
// can do the same.
func TestCopyOfSameStampAtPowerLoss(t *testing.T) {
	t.Parallel()
	const text = "the whole of what is there"
	for name, use := range map[string]func(t *testing.T, s *Fs) error{
		"read":   func(*testing.T, *Fs) error { return nil },
		"fetch":  func(t *testing.T, s *Fs) error { return s.Fetch(t.Context(), "x") },
		"pin":    func(t *testing.T, s *Fs) error { return s.Pin(t.Context(), "x") },
		"rename": func(_ *testing.T, s *Fs) error { return errors.Join(s.Rename("x", "y"), s.Rename("y", "x")) },
		"add": func(_ *testing.T, s *Fs) error {
			if err := s.Add("x"); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("added: %w", err)
			}
			return nil
		},
		"append nothing": func(_ *testing.T, s *Fs) error {
			f, err := s.OpenFile("x", os.O_RDWR|os.O_APPEND, 0)
			if err == nil {
				_, err = f.WriteString("")
			}
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remote := aferotest.OS(t.TempDir())
			require.NoError(t, afero.WriteFile(remote, "x", []byte(text), 0o644))
			now := time.Now()
			disk := crashfs.New(&crashfs.Options{Inodes: true, Now: func() time.Time { return now }})
			s, err := New(remote, disk, nil)
			require.NoError(t, err)
			require.NoError(t, s.Fetch(t.Context(), "x"))
			require.NoError(t, s.Close())
			require.NoError(t, afero.WriteFile(disk, "/x", make([]byte, len(text)), 0o644))

			left := newFs(t, remote, disk, nil)
			require.NoError(t, use(t, left))
			_, err = left.Push(t.Context())
			require.NoError(t, err)
			for _, fsys := range []afero.Fs{left, remote} {
				got, err := afero.ReadFile(fsys, "x")
				require.NoError(t, err)
				require.Equal(t, text, string(got))
			}
		})
	}
}
