//go:build unix

package localdir

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A state that others may have written is refused, and left as it is.
func TestStateOfOthers(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(state string) error{
		"group writes": func(state string) error { return os.Chmod(state, 0o770) },
		"all write":    func(state string) error { return os.Chmod(state, 0o707) },
		"all read":     func(state string) error { return os.Chmod(state, 0o755) },
		"other owner":  func(state string) error { return os.Chown(state, 12345, 12345) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if what == "other owner" && os.Geteuid() != 0 {
				return // only root can make one
			}
			dir := t.TempDir()
			d, err := Open(osDir(dir))
			require.NoError(t, err)
			require.NoError(t, d.Close())
			require.NoError(t, change(filepath.Join(dir, StateDir)))
			names := func() []string { return slices.Sorted(maps.Keys(snapshot(t, dir))) }
			before := names()
			d, err = Open(osDir(dir))
			if what == "all read" {
				require.NoError(t, err)
				require.NoError(t, d.Close())
				return
			}
			require.ErrorIs(t, err, fs.ErrPermission)
			require.ErrorContains(t, err, StateDir)
			require.Equal(t, before, names())
		})
	}
}

// A link in the place of a file of the library's own is not followed, also not to a file inside the directory.
func TestLinksInTheState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	users := filepath.Join(dir, "users")
	require.NoError(t, os.WriteFile(users, []byte("the user's"), 0o644))
	d := open(t, osDir(dir))
	for _, name := range []string{StateDir + "/log", StateDir + "/log.new", PartialDir + "/1", TmpDir + "/1"} {
		rel, err := filepath.Rel(filepath.Dir(filepath.Join(dir, name)), users)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(rel, filepath.Join(dir, name)))
		for _, flag := range []int{os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREATE, os.O_WRONLY | os.O_CREATE | os.O_TRUNC} {
			_, err := d.OpenFile(name, flag, 0o600)
			require.ErrorIs(t, err, syscall.ELOOP, "%s %x", name, flag)
		}
	}
	require.NoError(t, d.Close())
	lock := filepath.Join(dir, StateDir, "lock")
	require.NoError(t, os.Remove(lock))
	require.NoError(t, os.Symlink("../users", lock))
	_, err := Open(osDir(dir))
	require.ErrorIs(t, err, syscall.ELOOP)
	text, err := os.ReadFile(users)
	require.NoError(t, err)
	require.Equal(t, "the user's", string(text))
}
