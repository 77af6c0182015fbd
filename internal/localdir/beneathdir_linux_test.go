package localdir

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What is described is what the names lead to now, whatever another program has done to the directories since the last call.
func TestLstatWhileDirectoriesChange(t *testing.T) {
	t.Parallel()
	names := []string{"a", "a", "b", "a/a", "b/a", "a/a/f", "a/f", "b/f"}
	rapid.Check(t, func(rt *rapid.T) {
		root := t.TempDir()
		outside := filepath.Join(root, "outside")
		dir := filepath.Join(root, "dir")
		require.NoError(rt, os.MkdirAll(filepath.Join(outside, "a"), 0o755))
		require.NoError(rt, os.WriteFile(filepath.Join(outside, "a/f"), []byte("secret"), 0o600))
		require.NoError(rt, os.Mkdir(dir, 0o755))
		d, err := Open(osDir(dir))
		require.NoError(rt, err)
		defer d.Close()
		oracle, err := os.OpenRoot(dir)
		require.NoError(rt, err)
		defer oracle.Close()
		name := func(label string) string { return rapid.SampledFrom(names).Draw(rt, label) }
		about := "a/f"
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			at := filepath.Join(dir, name("name"))
			switch rapid.SampledFrom([]string{"mkdir", "mkdir", "write", "rename", "remove", "link", "link out"}).Draw(rt, "step") {
			case "mkdir":
				_ = os.MkdirAll(at, 0o755)
			case "write":
				_ = os.WriteFile(at, []byte(at), 0o600)
			case "rename":
				_ = os.Rename(at, filepath.Join(dir, name("to")))
			case "remove":
				_ = os.RemoveAll(at)
			case "link":
				_ = os.Symlink(name("target"), at)
			case "link out":
				_ = os.Symlink(outside, at)
			}
			if rapid.IntRange(0, 7).Draw(rt, "another") == 0 {
				about = name("about")
			}
			for range 2 { // the second time its directory is open
				got, gotErr := d.Lstat(about)
				fi, wantErr := oracle.Lstat(about)
				require.Equal(rt, wantErr == nil, gotErr == nil, "%s: %v, %v", about, gotErr, wantErr)
				if wantErr == nil {
					require.Equal(rt, realInfo(filepath.Base(about), fi), got, about)
				}
			}
		}
	})
}

func TestLstatOfManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "f"), []byte(name), 0o600))
	}
	d, err := Open(osDir(dir))
	require.NoError(t, err)
	var all sync.WaitGroup
	for _, name := range []string{"a", "a", "b", "c", "c"} {
		all.Go(func() {
			for range 200 {
				if info, err := d.Lstat(name + "/f"); err != nil || info.Name != "f" {
					t.Error(name, info, err)
				}
			}
		})
	}
	all.Wait()
	require.NoError(t, d.Close())
	_, err = d.Lstat("a/f")
	require.ErrorIs(t, err, fs.ErrClosed)
}
