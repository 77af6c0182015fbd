package syncfs

import (
	"os"
	"runtime"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// What a call did to the local directory is not done again after a restart, to files that were put there since.
func TestRestartLeavesUsersFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		call func(s *Fs) error
	}{
		{"remove", func(s *Fs) error { return s.Remove("a") }},
		{"removeall", func(s *Fs) error { return s.RemoveAll("a") }},
		{"rename", func(s *Fs) error { return s.Rename("a", "b") }},
		{"rename over", func(s *Fs) error { return s.Rename("a", "over") }},
	} {
		leaves := func(t *testing.T, killed bool) {
			t.Parallel()
			remote, local := memory(t), realDir(t)
			s, err := New(remote, local, nil)
			require.NoError(t, err)
			require.NoError(t, afero.WriteFile(s, "a", []byte("written"), 0o644))
			require.NoError(t, afero.WriteFile(s, "over", []byte("written"), 0o644))
			if killed { // its inode number is not free then
				f, err := local.Open("a")
				require.NoError(t, err)
				defer f.Close()
			}
			require.NoError(t, c.call(s))
			require.NoError(t, s.Close())
			if killed { // before the last record was whole, which says that the call has changed the local directory
				log, err := afero.ReadFile(local, ".syncfs/log")
				require.NoError(t, err)
				require.NoError(t, afero.WriteFile(local, ".syncfs/log", log[:len(log)-1], 0o600))
			}

			require.NoError(t, afero.WriteFile(local, "a", []byte("the user's"), 0o644))
			s = newFs(t, remote, local, nil)
			got, err := afero.ReadFile(s, "a")
			require.NoError(t, err)
			require.Equal(t, "the user's", string(got))
			for _, name := range []string{"b", "over"} {
				if got, err = afero.ReadFile(s, name); err == nil {
					require.Equal(t, "written", string(got), name)
				} else {
					require.ErrorIs(t, err, os.ErrNotExist)
				}
			}
		}
		t.Run(c.name, func(t *testing.T) { leaves(t, false) })
		t.Run(c.name+", killed", func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("what was renamed is known by its inode number, which package os does not show on Windows")
			}
			leaves(t, true)
		})
	}
}

// A process that was killed while it discarded a rename has a directory in the trash. Where its place is taken after
// the restart, what is in it is kept all the same.
func TestRestartKeepsWhatCannotGoBack(t *testing.T) {
	t.Parallel()
	remote, local, plan := memory(t), realDir(t), new(faultfs.Plan)
	require.NoError(t, remote.Mkdir("/dir", 0o755))
	s, err := New(remote, faultfs.New(local, plan), nil)
	require.NoError(t, err)
	require.NoError(t, s.Rename("dir", "moved"))
	require.NoError(t, local.MkdirAll("moved", 0o755))
	require.NoError(t, afero.WriteFile(local, "moved/own", []byte("the user's"), 0o644))
	var waiting string // its name in the trash
	plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename && op.Name == "/moved" {
			waiting = op.NewName
		}
		return nil
	})
	require.NoError(t, s.Discard())
	require.NoError(t, s.Close())

	// As it was before the directory went from the trash to its place.
	require.NoError(t, local.Rename("dir", waiting))
	log, err := afero.ReadFile(local, ".syncfs/log")
	require.NoError(t, err)
	require.NoError(t, afero.WriteFile(local, ".syncfs/log", log[:len(log)-1], 0o600))
	require.NoError(t, local.Mkdir("dir", 0o755))
	require.NoError(t, afero.WriteFile(local, "dir/other", []byte("in the way"), 0o644))

	newFs(t, remote, local, nil)
	kept, err := afero.Glob(local, localdir.DiscardedDir+"/*/own")
	require.NoError(t, err)
	require.Len(t, kept, 1)
}
