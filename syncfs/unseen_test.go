package syncfs

import (
	"io/fs"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A file of the user that the local disk does not describe is not passed over: its directory counts as neither empty nor
// removed, and nothing is deleted.
func TestUserFileThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(s *Fs) error{
		"remove":    func(s *Fs) error { return s.Remove("d") },
		"removeall": func(s *Fs) error { return s.RemoveAll("d") },
	} {
		for _, hides := range []bool{false, true} {
			disk, plan := realDir(t), new(faultfs.Plan)
			r := &rig{TB: t, remote: aferotest.OS(t.TempDir()), plan: new(faultfs.Plan), local: faultfs.New(disk, plan)}
			r.start()
			t.Cleanup(r.end)
			if hides {
				r.serve("d/mine:theirs")
			}
			r.put(disk, []string{"d/mine"})
			plan.Before(func(op faultfs.Op) error {
				if op.Name == "/d/mine" && (op.Kind == faultfs.Lstat || op.Kind == faultfs.Stat) {
					return syscall.EIO
				}
				return nil
			})
			err := call(r.fs)
			if name == "remove" && hides {
				require.Error(t, err)
			} else {
				require.ErrorIs(t, err, syscall.EIO, name)
			}
			plan.Heal()
			got, err := afero.ReadFile(disk, "d/mine")
			require.NoError(t, err, name)
			require.Equal(t, "d/mine", string(got))
			r.reads("d/mine", "d/mine")
			r.queued()
			require.NoError(t, r.fs.RemoveAll("d"))
			_, err = disk.Stat("d/mine")
			require.ErrorIs(t, err, fs.ErrNotExist)
		}
	}
}
