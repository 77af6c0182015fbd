package aferotest

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing/fstest"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// helperCases use the functions of package afero on top of an Fs.
var helperCases = []Case{
	{"afero/writefile-readfile", nil, func(c *C) {
		require.NoError(c, afero.WriteFile(c.Fs, "f", []byte(before), 0o644))
		got, err := afero.ReadFile(c.Fs, "f")
		require.NoError(c, err)
		require.Equal(c, before, string(got))
	}},
	{"afero/writefile-truncates", nil, func(c *C) {
		require.NoError(c, afero.WriteFile(c.Fs, "f", []byte(before), 0o644))
		require.NoError(c, afero.WriteFile(c.Fs, "f", []byte("x"), 0o644))
		c.holds("f", "x")
	}},
	{"afero/readfile-missing", nil, func(c *C) {
		_, err := afero.ReadFile(c.Fs, "f")
		require.ErrorIs(c, err, fs.ErrNotExist)
	}},
	{"afero/readfile-empty", nil, func(c *C) {
		c.write("f", "")
		got, err := afero.ReadFile(c.Fs, "f")
		require.NoError(c, err)
		require.Empty(c, got)
	}},
	{"afero/readdir-is-sorted", nil, func(c *C) {
		for _, name := range []string{"c", "a", "b"} {
			c.write(name, "")
		}
		infos, err := afero.ReadDir(c.Fs, "/")
		require.NoError(c, err)
		require.Len(c, infos, 3)
		for i, want := range []string{"a", "b", "c"} {
			require.Equal(c, want, infos[i].Name())
		}
	}},
	{"afero/exists", nil, func(c *C) {
		c.mkdir("d")
		c.write("f", "")
		for name, want := range map[string]bool{"d": true, "f": true, "no": false, "d/no": false} {
			got, err := afero.Exists(c.Fs, name)
			require.NoError(c, err)
			require.Equal(c, want, got, name)
		}
	}},
	{"afero/direxists-isdir-isempty", nil, func(c *C) {
		c.mkdir("d")
		c.write("f", "")
		is, err := afero.DirExists(c.Fs, "d")
		require.NoError(c, err)
		require.True(c, is)
		is, err = afero.DirExists(c.Fs, "f")
		require.NoError(c, err)
		require.False(c, is)
		is, err = afero.IsEmpty(c.Fs, "d")
		require.NoError(c, err)
		require.True(c, is)
		c.write("d/f", "")
		is, err = afero.IsEmpty(c.Fs, "d")
		require.NoError(c, err)
		require.False(c, is)
	}},
	{"afero/walk", nil, func(c *C) {
		c.mkdirAll("a/b")
		c.mkdir("e")
		for _, name := range []string{"a/b/f", "a/g", "z"} {
			c.write(name, name)
		}
		var names []string
		require.NoError(c, afero.Walk(c.Fs, "/", func(name string, info os.FileInfo, err error) error {
			if err == nil && path.Base(name) != "/" {
				require.Equal(c, path.Base(name), info.Name())
			}
			names = append(names, name)
			return err
		}))
		require.Equal(c, []string{"/", "/a", "/a/b", "/a/b/f", "/a/g", "/e", "/z"}, names)
	}},
	{"afero/walk-missing", nil, func(c *C) {
		err := afero.Walk(c.Fs, "no", func(_ string, _ os.FileInfo, err error) error { return err })
		require.ErrorIs(c, err, fs.ErrNotExist)
	}},
	{"afero/glob", nil, func(c *C) {
		c.mkdir("d")
		for _, name := range []string{"d/a.txt", "d/b.txt", "d/c.log"} {
			c.write(name, "")
		}
		got, err := afero.Glob(c.Fs, "d/*.txt")
		require.NoError(c, err)
		require.Equal(c, []string{"d/a.txt", "d/b.txt"}, got)
	}},
	{"afero/tempfile", nil, func(c *C) {
		c.mkdir("tmp")
		names := map[string]bool{}
		for range 5 {
			f, err := afero.TempFile(c.Fs, "tmp", "x*.part")
			require.NoError(c, err)
			c.track(f)
			c.put(f, "abc")
			c.close(f)
			c.holds(f.Name(), "abc")
			names[f.Name()] = true
		}
		require.Len(c, names, 5)
	}},
	{"afero/tempdir", nil, func(c *C) {
		c.mkdir("tmp")
		name, err := afero.TempDir(c.Fs, "tmp", "x")
		require.NoError(c, err)
		c.isDir(name)
	}},
	{"afero/writereader-makes-parents", nil, func(c *C) {
		require.NoError(c, afero.WriteReader(c.Fs, "a/b/f", strings.NewReader(before)))
		c.holds("a/b/f", before)
	}},
	{"afero/safewritereader-refuses-existing", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", before)
		require.Error(c, afero.SafeWriteReader(c.Fs, "a/f", strings.NewReader("x")))
		c.holds("a/f", before)
	}},
	{"afero/filecontainsbytes", nil, func(c *C) {
		c.write("f", strings.Repeat("x", 5000)+"needle"+strings.Repeat("y", 5000))
		found, err := afero.FileContainsBytes(c.Fs, "f", []byte("needle"))
		require.NoError(c, err)
		require.True(c, found)
	}},
	{"afero/basepathfs-on-top", nil, func(c *C) {
		c.mkdir("d")
		sub := afero.NewBasePathFs(c.Fs, "d")
		require.NoError(c, afero.WriteFile(sub, "f", []byte(before), 0o644))
		c.holds("d/f", before)
		require.NoError(c, sub.Rename("f", "g"))
		c.lists("d", "g")
	}},
	{"afero/readonlyfs-on-top", nil, func(c *C) {
		c.write("f", before)
		ro := afero.NewReadOnlyFs(c.Fs)
		got, err := afero.ReadFile(ro, "f")
		require.NoError(c, err)
		require.Equal(c, before, string(got))
		require.Error(c, ro.Remove("f"))
		c.holds("f", before)
	}},
	{"afero/name", nil, func(c *C) {
		require.NotEmpty(c, c.Fs.Name())
	}},
}

// iofsCases use the Fs as an io/fs.FS.
var iofsCases = []Case{
	{"iofs/empty", nil, func(c *C) {
		require.NoError(c, fstest.TestFS(afero.NewIOFS(c.Fs)))
	}},
	{"iofs/tree", nil, func(c *C) {
		c.mkdirAll("a/b/c")
		c.mkdir("empty")
		for _, name := range []string{"f", "a/f", "a/g.txt", "a/b/c/f"} {
			c.write(name, strings.Repeat(name, 100))
		}
		require.NoError(c, fstest.TestFS(afero.NewIOFS(c.Fs), "f", "a/f", "a/g.txt", "a/b/c/f", "empty"))
	}},
	{"iofs/walkdir", nil, func(c *C) {
		c.mkdirAll("a/b")
		c.write("a/b/f", "")
		var names []string
		require.NoError(c, fs.WalkDir(afero.NewIOFS(c.Fs), ".", func(name string, _ fs.DirEntry, err error) error {
			names = append(names, name)
			return err
		}))
		require.Equal(c, []string{".", "a", "a/b", "a/b/f"}, names)
	}},
	{"iofs/readfile", nil, func(c *C) {
		c.write("f", before)
		got, err := fs.ReadFile(afero.NewIOFS(c.Fs), "f")
		require.NoError(c, err)
		require.Equal(c, before, string(got))
	}},
	{"iofs/invalid-names", nil, func(c *C) {
		c.write("f", before)
		for _, name := range []string{"/f", "./f", "f/", "../f", ""} {
			_, err := afero.NewIOFS(c.Fs).Open(name)
			require.ErrorIs(c, err, fs.ErrInvalid, name)
		}
	}},
	{"iofs/missing", nil, func(c *C) {
		_, err := fs.Stat(afero.NewIOFS(c.Fs), "no")
		require.ErrorIs(c, err, fs.ErrNotExist)
	}},
}
