package aferotest

import (
	"io/fs"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

func TestTree(t *testing.T) {
	t.Parallel()
	fsys := OS(t.TempDir())
	require.NoError(t, fsys.MkdirAll("d/e", 0o700))
	require.NoError(t, afero.WriteFile(fsys, "d/f", []byte("abc"), 0o600))
	require.NoError(t, fsys.Chtimes("d/f", past, past))
	require.NoError(t, symlink(fsys, "../no", "d/l"))

	tree, err := Tree(fsys)
	require.NoError(t, err)
	require.True(t, past.Equal(tree["d/f"].ModTime))
	for name, e := range tree {
		e.ModTime = time.Time{}
		tree[name] = e
	}
	require.Equal(t, map[string]Entry{
		"d":   {Type: fs.ModeDir, Perm: 0o700},
		"d/e": {Type: fs.ModeDir, Perm: 0o700},
		"d/f": {Perm: 0o600, Size: 3, Content: "abc"},
		"d/l": {Type: fs.ModeSymlink, Target: "../no"},
	}, tree)
}

// TestTreeDoubtsListings has a listing that Lstat does not confirm.
func TestTreeDoubtsListings(t *testing.T) {
	t.Parallel()
	for what, list := range map[string]func(real []fs.FileInfo) []fs.FileInfo{
		"a name twice":  func(l []fs.FileInfo) []fs.FileInfo { return append(l, l[0]) },
		"no name":       func(l []fs.FileInfo) []fs.FileInfo { return append(l, named(l[0], ".")) },
		"dot-dot":       func(l []fs.FileInfo) []fs.FileInfo { return append(l, osInfo{l[0], ".."}) },
		"a path":        func(l []fs.FileInfo) []fs.FileInfo { return append(l, osInfo{l[0], "d/g"}) },
		"nobody":        func(l []fs.FileInfo) []fs.FileInfo { return append(l, osInfo{l[0], "g"}) },
		"another size":  func(l []fs.FileInfo) []fs.FileInfo { return []fs.FileInfo{sized{l[0]}} },
		"another thing": func(l []fs.FileInfo) []fs.FileInfo { return []fs.FileInfo{irregular{l[0]}} },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			fsys := files(alteredFile{readdir: func(f afero.File, n int) ([]fs.FileInfo, error) {
				l, err := f.Readdir(n)
				return list(l), err
			}})
			fsys.osFs = osFs{root: t.TempDir()}
			require.NoError(t, afero.WriteFile(fsys.osFs, "f", nil, 0o600))
			_, err := Tree(fsys)
			require.Error(t, err)
		})
	}
}

type sized struct{ fs.FileInfo }

func (sized) Size() int64 { return 99 }

type irregular struct{ fs.FileInfo }

func (irregular) Mode() fs.FileMode { return fs.ModeNamedPipe }

func TestDiff(t *testing.T) {
	t.Parallel()
	file := Entry{Perm: 0o600, Size: 3, Content: "abc"}
	dir := Entry{Type: fs.ModeDir, Perm: 0o755}
	a := map[string]Entry{"d": dir, "f": file, "g": file}
	require.Empty(t, Diff(a, map[string]Entry{"d": dir, "f": file, "g": file}))

	later := file
	later.ModTime = time.Now()
	require.Empty(t, Diff(a, map[string]Entry{"d": dir, "f": later, "g": file}), "times are not compared")

	other := Entry{Perm: 0o600, Size: 3, Content: "abX"}
	link := Entry{Type: fs.ModeSymlink, Target: "f"}
	require.Equal(t, `- d: directory -rwxr-xr-x
! f: file -rw-------, 3 bytes, "abX", want file -rw-------, 3 bytes, "abc"
+ l: link to "f"
`, Diff(a, map[string]Entry{"f": other, "g": file, "l": link}))
}
