package syncfs

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// fullDisk is a local file system on which the state log cannot be written while full is set.
func fullDisk() (fsys afero.Fs, full *bool) {
	plan := new(faultfs.Plan)
	full = new(bool)
	plan.Before(func(op faultfs.Op) error {
		if *full && strings.Contains(op.Name, "/log") && (op.Kind == faultfs.Write || op.Kind == faultfs.WriteAt) {
			return syscall.ENOSPC
		}
		return nil
	})
	return faultfs.New(crashfs.New(nil), plan), full
}

// A change that cannot be recorded is taken back whole: the count of bytes in use, too.
func TestUnrecordedChangesKeepTheCount(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *Fs) error{
		"truncating": func(s *Fs) error {
			_, err := s.OpenFile("f", os.O_RDWR|os.O_TRUNC, 0)
			return err
		},
		"writing": func(s *Fs) error {
			f, err := s.OpenFile("f", os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte("x"), 0)
			return err
		},
		"removing":      func(s *Fs) error { return s.Remove("f") },
		"renaming over": func(s *Fs) error { return s.Rename("g", "f") },
		"adding":        func(s *Fs) error { return s.Add("f") },
		"pinning":       func(s *Fs) error { return s.Pin(t.Context(), "f") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remote := aferotest.OS(t.TempDir())
			for _, name := range []string{"f", "g", "h", "i"} {
				require.NoError(t, afero.WriteFile(remote, name, bytes.Repeat([]byte(name), 1000), 0o644))
			}
			local, full := fullDisk()
			s, err := New(remote, local, &Options{Cache: cachefs.Options{MaxBytes: 2000}})
			require.NoError(t, err)
			require.NoError(t, s.Fetch(t.Context(), "f"))
			require.NoError(t, s.Fetch(t.Context(), "g"))
			require.EqualValues(t, 2000, s.Stats().UsedBytes)
			*full = true
			for range 3 {
				require.ErrorIs(t, change(s), syscall.ENOSPC)
				require.EqualValues(t, 2000, s.Stats().UsedBytes)
			}
			*full = false
			_ = s.Close() // a log that was broken says so
			s, err = New(remote, local, &Options{Cache: cachefs.Options{MaxBytes: 2000}})
			require.NoError(t, err)
			for _, name := range []string{"h", "i"} {
				require.NoError(t, s.Fetch(t.Context(), name))
				require.LessOrEqual(t, s.Stats().UsedBytes, int64(2000))
				size, err := aferotest.Used(local, "", func(name string) bool { return !strings.HasPrefix(name, ".") })
				require.NoError(t, err)
				require.Equal(t, size, s.Stats().UsedBytes)
			}
			require.NoError(t, s.Close())
		})
	}
}
