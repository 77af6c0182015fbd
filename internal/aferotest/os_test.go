package aferotest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// outside returns an OS in a directory beside which there is a file to be kept
// from it.
func outside(t *testing.T) (fsys afero.Fs, secret string) {
	parent := t.TempDir()
	secret = filepath.Join(parent, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))
	root := filepath.Join(parent, "root")
	require.NoError(t, os.Mkdir(root, 0o755))
	return OS(root), secret
}

func TestOSLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	fsys, secret := outside(t)
	require.NoError(t, fsys.Mkdir("d", 0o755))
	for _, target := range []string{"../secret", "../../secret", "/../secret", secret, "d/../../secret"} {
		require.NoError(t, symlink(fsys, target, "l"))
		got, err := readlink(fsys, "l")
		require.NoError(t, err)
		require.Equal(t, target, got)
		_, err = afero.ReadFile(fsys, "l")
		require.ErrorIs(t, err, os.ErrNotExist, target)
		require.NoError(t, fsys.Remove("l"))
	}
	require.NoError(t, symlink(fsys, "..", "up"))
	require.ErrorIs(t, fsys.Rename("up/secret", "taken"), os.ErrNotExist)
	require.ErrorIs(t, fsys.Remove("up/../secret"), os.ErrNotExist)
	require.NoError(t, fsys.RemoveAll("up/secret"))
	require.NoError(t, fsys.MkdirAll("up/made", 0o755))
	require.FileExists(t, secret)

	tree, err := Tree(fsys)
	require.NoError(t, err)
	require.Contains(t, tree, "made", "the parent of the root is the root")
}

func TestOSIsThatDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fsys := OS(dir)
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("abc"), 0o600))
	got, err := os.ReadFile(filepath.Join(dir, "f"))
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	require.Error(t, fsys.RemoveAll("/"), "the root stays")
	require.FileExists(t, filepath.Join(dir, "f"))
}
