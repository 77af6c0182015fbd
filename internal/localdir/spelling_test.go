package localdir

import (
	"io/fs"
	"slices"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// raw lists all that a MemMapFs has, each under the name it has there.
func raw(t *testing.T, m *afero.MemMapFs) (names []string) {
	t.Helper()
	for _, root := range []string{"/", "."} {
		require.NoError(t, afero.Walk(m, root, func(name string, fi fs.FileInfo, err error) error {
			if _, statErr := m.Stat(name); err == nil && statErr == nil && !fi.IsDir() {
				names = append(names, name)
			}
			return nil
		}))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestSpellingOfNewNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		there   []string // what the MemMapFs has
		program []string // what the program calls
		want    string   // for "new"
	}{
		{"nothing known", nil, nil, "/new"},
		{"by the program", nil, []string{"x"}, "new"},
		{"by the program, which then walks", nil, []string{".", "/", "x/y", "/x/y"}, "new"},
		{"by the program, with a slash", nil, []string{"/", "/x", "x"}, "/new"},
		{"by what is there", []string{"a", "b"}, []string{"/x"}, "new"},
		{"by what is there, with a slash", []string{"/a", "/b/c"}, []string{"x"}, "/new"},
		{"both there", []string{"a", "/b"}, []string{"x"}, "new"},
		{"own names tell nothing", []string{"/.syncfs-1.part"}, []string{"x"}, "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := &afero.MemMapFs{}
			for _, name := range c.there {
				require.NoError(t, afero.WriteFile(m, name, nil, 0o644))
			}
			d := Memory(m)
			for _, name := range c.program {
				d.Spelled(name)
			}
			_, err := d.Lstat("new")
			require.ErrorIs(t, err, fs.ErrNotExist, "looking settles nothing")
			write(t, d, "new", "")
			require.Equal(t, slices.Sorted(slices.Values(append(c.there, c.want))), raw(t, m))
		})
	}
}

func TestNewNamesAreSpelledAsTheirDirectory(t *testing.T) {
	t.Parallel()
	m := &afero.MemMapFs{}
	require.NoError(t, m.MkdirAll("without", 0o755))
	require.NoError(t, m.MkdirAll("/with", 0o755))
	d := Memory(m)
	for _, dir := range []string{"without", "with"} {
		require.NoError(t, d.MkdirAll(dir+"/deep/er", 0o755))
		write(t, d, dir+"/deep/er/a", "")
		write(t, d, dir+"/b", "")
	}
	require.Equal(t, []string{"/with/b", "/with/deep/er/a", "without/b", "without/deep/er/a"}, raw(t, m))
	require.NoError(t, d.Rename("with/deep", "without/moved"))
	require.Equal(t, []string{"/with/b", "without/b", "without/deep/er/a", "without/moved/er/a"}, raw(t, m))
}

// TestTwoSpellingsAreOneName has everything there twice.
func TestTwoSpellingsAreOneName(t *testing.T) {
	t.Parallel()
	m := &afero.MemMapFs{}
	put := func(name string) { require.NoError(t, afero.WriteFile(m, name, []byte(name), 0o644)) }
	for _, name := range []string{"/d/a", "d/b", "/d/c", "d/c", "/f", "f", "/g", "g"} {
		put(name)
	}
	d := Memory(m)
	require.Equal(t, []string{"d", "f", "g"}, names(t, d, "."))
	require.Equal(t, []string{"a", "b", "c"}, names(t, d, "d"))
	require.Equal(t, "/d/a", read(t, d, "d/a"))
	require.Equal(t, "d/b", read(t, d, "d/b"))
	require.Equal(t, "/d/c", read(t, d, "d/c"))

	require.NoError(t, d.Rename("d", "e"))
	require.Equal(t, []string{"a", "b", "c"}, names(t, d, "e"))
	require.ErrorIs(t, d.Remove("e"), syscall.ENOTEMPTY)
	for _, name := range []string{"e/a", "e/c"} {
		require.NoError(t, d.Remove(name))
	}
	require.ErrorIs(t, d.Remove("e"), syscall.ENOTEMPTY, "one of them is not empty")
	require.NoError(t, d.RemoveAll("e"))

	require.NoError(t, d.Rename("f", "f"))
	require.NoError(t, d.Rename("f", "g"))
	require.Equal(t, []string{"/g"}, raw(t, m))
	require.Equal(t, "/f", read(t, d, "g"))
	put("g")
	require.NoError(t, d.Remove("g"))
	require.Empty(t, raw(t, m))
	require.Empty(t, names(t, d, "."))
}
