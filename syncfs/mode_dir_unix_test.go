//go:build unix

package syncfs

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
)

// A local directory lets nobody in whom the program, or the remote, keeps out; nor whom the umask does.
func TestLocalDirectoriesAreNoWider(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	remote := aferotest.OS(t.TempDir())
	modes := map[string]fs.FileMode{"theirs": 0o700, "theirs/group": 0o750, "theirs/group/all": 0o777}
	for _, name := range []string{"theirs", "theirs/group", "theirs/group/all"} {
		require.NoError(t, remote.Mkdir(name, 0o700))
		require.NoError(t, remote.Chmod(name, modes[name]))
	}
	require.NoError(t, afero.WriteFile(remote, "theirs/group/all/f", nil, 0o644))
	s := newFs(t, remote, afero.NewBasePathFs(afero.NewOsFs(), dir), nil)
	require.NoError(t, s.Fetch(t.Context(), "theirs/group/all/f"))

	ours := map[string]fs.FileMode{"made": 0o700, "all": 0o700, "all/below": 0o700, "locked": 0o500, "closed": 0o777}
	require.NoError(t, s.Mkdir("made", 0o700))
	require.NoError(t, s.MkdirAll("all/below", 0o700))
	require.NoError(t, s.Mkdir("locked", 0o500))
	require.NoError(t, s.Mkdir("closed", 0o777))
	for name, mode := range ours {
		modes[name] = mode
	}
	require.NoError(t, afero.WriteFile(s, "made/f", nil, 0o644))
	require.NoError(t, s.Rename("made", "all/below/moved"))
	delete(modes, "made")
	modes["all/below/moved"] = 0o700
	var umask fs.FileMode
	require.NoError(t, s.m.Do(func(v *mirror.View) error {
		umask = v.Local().Umask()
		return nil
	}))
	for name, mode := range modes {
		fi, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err, name)
		require.Equal(t, mode&^umask|0o700, fi.Mode().Perm(), name)
	}
}
