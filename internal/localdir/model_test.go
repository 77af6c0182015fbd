package localdir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMemoryIsLikeReal(t *testing.T) {
	t.Parallel()
	isLikeReal(t, []string{"a", "b"}, func(string) afero.Fs { return hidden{afero.NewMemMapFs()} })
}

// isLikeReal makes the same random calls on a real directory and on another Fs, and compares every answer and the trees
// that come out. It makes paths of the elements.
func isLikeReal(t *testing.T, elements []string, other func(dir string) afero.Fs) {
	t.Helper()
	parent := t.TempDir()
	element := rapid.SampledFrom(elements)
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(element, 1, 3).Draw(t, "elements"), "/")
	})
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		dir := filepath.Join(parent, fmt.Sprint(runs))
		defer os.RemoveAll(dir)
		var both [2]*Dir
		var fsys [2]afero.Fs
		for i, base := range []func(string) afero.Fs{osDir, other} {
			dir := filepath.Join(dir, fmt.Sprint(i))
			require.NoError(t, os.MkdirAll(dir, 0o755))
			fsys[i] = base(dir)
			d, err := Open(fsys[i])
			require.NoError(t, err)
			defer func() { require.NoError(t, both[i].Close()) }()
			both[i] = d
		}
		same := func(call func(d *Dir) error) {
			want, got := class(t, call(both[0])), class(t, call(both[1]))
			if want != got {
				t.Fatalf("real: %s, memory: %s", want, got)
			}
		}
		path := func() string { return name.Draw(t, "name") }
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				p := path()
				flag := rapid.SampledFrom([]int{0, os.O_CREATE, os.O_CREATE | os.O_EXCL, os.O_CREATE | os.O_TRUNC}).Draw(t, "flag")
				content := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "content")
				off := rapid.Int64Range(0, 30).Draw(t, "off")
				same(func(d *Dir) error {
					f, err := d.OpenFile(p, os.O_RDWR|flag, 0o644)
					if err != nil {
						return err
					}
					_, err = f.WriteAt(content, off)
					require.NoError(t, err)
					return f.Close()
				})
			},
			"mkdir":    func(t *rapid.T) { p := path(); same(func(d *Dir) error { return d.Mkdir(p, 0o755) }) },
			"mkdirAll": func(t *rapid.T) { p := path(); same(func(d *Dir) error { return d.MkdirAll(p, 0o755) }) },
			"remove":   func(t *rapid.T) { p := path(); same(func(d *Dir) error { return d.Remove(p) }) },
			"removeAll": func(t *rapid.T) {
				p := path()
				same(func(d *Dir) error { return d.RemoveAll(p) })
			},
			"rename": func(t *rapid.T) {
				from, to := path(), path()
				same(func(d *Dir) error { return d.Rename(from, to) })
			},
			"chmod": func(t *rapid.T) { p := path(); same(func(d *Dir) error { return d.Chmod(p, 0o700) }) },
			"reopen": func(t *rapid.T) {
				for i := range both {
					require.NoError(t, both[i].Close())
					d, err := Open(fsys[i])
					require.NoError(t, err)
					both[i] = d
				}
			},
			"lstat": func(t *rapid.T) {
				p := path()
				same(func(d *Dir) error { _, err := d.Lstat(p); return err })
			},
			"readDir": func(t *rapid.T) {
				p := path()
				same(func(d *Dir) error { _, err := d.ReadDir(p); return err })
			},
			"": func(t *rapid.T) {
				require.Equal(t, tree(t, both[0], "."), tree(t, both[1], "."))
			},
		})
	})
}

// tree describes what is below dir: names, kinds and contents.
func tree(t require.TestingT, d *Dir, dir string) map[string]string {
	all := make(map[string]string)
	infos, err := d.ReadDir(dir)
	require.NoError(t, err)
	for _, info := range infos {
		name := info.Name
		if dir != "." {
			name = dir + "/" + name
		}
		if !info.IsDir() {
			all[name] = read(t, d, name)
			continue
		}
		all[name] = "directory"
		for k, v := range tree(t, d, name) {
			all[k] = v
		}
	}
	return all
}
