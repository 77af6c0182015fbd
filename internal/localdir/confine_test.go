package localdir

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLinksLeadNowhere plants links out of a real directory, at the end of a name and in the middle, and calls
// everything through them.
func TestLinksLeadNowhere(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	outside := filepath.Join(parent, "outside")
	require.NoError(t, os.MkdirAll(filepath.Join(outside, "dir"), 0o755))
	secret := filepath.Join(outside, "file")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o644))
	past := time.Unix(1_000_000_000, 0)
	require.NoError(t, os.Chtimes(secret, past, past))

	inside := filepath.Join(parent, "inside")
	require.NoError(t, os.MkdirAll(filepath.Join(inside, "sub"), 0o755))
	links := map[string]string{
		"abs":          outside,
		"rel":          "../outside",
		"sub/deep":     "../../outside",
		"hop":          "rel",
		"roundabout":   "sub/../../outside",
		"abs-file":     secret,
		"rel-file":     "../outside/file",
		"hop-file":     "rel/file",
		"dangling-abs": filepath.Join(outside, "made"),
		"dangling-rel": "../outside/made",
	}
	for name, target := range links {
		require.NoError(t, os.Symlink(target, filepath.Join(inside, name)))
	}
	before := snapshot(t, outside)
	d := open(t, osDir(inside))
	require.True(t, d.Real())

	refuses := func(name string, call func() error) {
		t.Helper()
		err := call()
		require.ErrorIs(t, err, ErrEscapes, name)
		require.ErrorIs(t, err, fs.ErrPermission, name)
		class(t, err)
	}
	openWith := func(name string, flag int) func() error {
		return func() error {
			f, err := d.OpenFile(name, flag, 0o644)
			if err == nil {
				f.Close()
			}
			return err
		}
	}
	for _, dir := range []string{"abs", "rel", "sub/deep", "hop", "roundabout"} {
		refuses(dir, func() error { _, err := d.ReadDir(dir); return err })
		refuses(dir, func() error { return d.SyncDir(dir) })
		for _, name := range []string{dir + "/file", dir + "/dir/new", dir + "/new"} {
			refuses(name, func() error { _, err := d.Lstat(name); return err })
			refuses(name, openWith(name, os.O_RDONLY))
			refuses(name, openWith(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC))
			refuses(name, openWith(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL))
			refuses(name, func() error { return d.Mkdir(name, 0o755) })
			refuses(name, func() error { return d.MkdirAll(name, 0o755) })
			refuses(name, func() error { return d.Remove(name) })
			refuses(name, func() error { return d.RemoveAll(name) })
			refuses(name, func() error { return d.Chmod(name, 0o777) })
			refuses(name, func() error { return d.Chtimes(name, time.Now(), time.Now()) })
			refuses(name, func() error { return d.Rename(name, "taken") })
			refuses(name, func() error { return d.Rename("sub", name) })
		}
	}
	for _, name := range []string{"abs-file", "rel-file", "hop-file", "dangling-abs", "dangling-rel"} {
		refuses(name, openWith(name, os.O_RDONLY))
		refuses(name, openWith(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC))
		refuses(name, func() error { return d.Chmod(name, 0o777) })
		refuses(name, func() error { return d.Chtimes(name, time.Now(), time.Now()) })
		require.ErrorIs(t, openWith(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)(), fs.ErrExist)
	}

	// The links themselves are entries like others.
	for name := range links {
		info, err := d.Lstat(name)
		require.NoError(t, err)
		require.Equal(t, fs.ModeSymlink, info.Mode.Type(), name)
	}
	require.NoError(t, d.Rename("abs", "abs2"))
	require.NoError(t, d.Remove("abs2"))
	require.NoError(t, d.RemoveAll("rel"))
	require.NoError(t, d.RemoveAll("sub"))
	write(t, d, "plain", "x")
	require.NoError(t, d.Rename("plain", "dangling-abs"))
	require.Equal(t, "x", read(t, d, "dangling-abs"), "a rename replaces the link, not what it leads to")

	require.Equal(t, before, snapshot(t, outside))
}

// snapshot describes everything below dir.
func snapshot(t *testing.T, dir string) map[string]Info {
	all := make(map[string]Info)
	err := filepath.Walk(dir, func(path string, fi fs.FileInfo, err error) error {
		if err == nil {
			all[path] = realInfo(fi.Name(), fi)
		}
		return err
	})
	require.NoError(t, err)
	return all
}

// TestLinksInside checks that a link which stays inside works as in package os.
func TestLinksInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, osDir(dir))
	require.NoError(t, d.Mkdir("sub", 0o755))
	write(t, d, "sub/file", "content")
	require.NoError(t, os.Symlink("sub", filepath.Join(dir, "to-dir")))
	require.NoError(t, os.Symlink("sub/file", filepath.Join(dir, "to-file")))
	require.Equal(t, "content", read(t, d, "to-dir/file"))
	require.Equal(t, "content", read(t, d, "to-file"))
	require.NoError(t, d.RemoveAll("to-dir"))
	require.NoError(t, d.Remove("to-file"))
	require.Equal(t, "content", read(t, d, "sub/file"))
}

// TestRootMoves checks that a Dir holds on to its directory, not to the path.
func TestRootMoves(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "dir")
	require.NoError(t, os.Mkdir(dir, 0o755))
	d := open(t, osDir(dir))
	require.NoError(t, os.Rename(dir, filepath.Join(parent, "moved")))
	write(t, d, "file", "content")
	got, err := os.ReadFile(filepath.Join(parent, "moved", "file"))
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
}
