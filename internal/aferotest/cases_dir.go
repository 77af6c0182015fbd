package aferotest

import (
	"io/fs"
	"os"

	"github.com/stretchr/testify/require"
)

var dirCases = []Case{
	{"dir/root-exists", nil, func(c *C) {
		for _, name := range []string{"/", "."} {
			c.isDir(name)
			c.lists(name)
		}
	}},
	{"dir/size-and-type", nil, func(c *C) {
		c.mkdir("d")
		fi := c.stat("d")
		require.Equal(c, fs.ModeDir, fi.Mode().Type())
		require.False(c, fi.Mode().IsRegular())
	}},
	{"dir/open-missing", nil, func(c *C) {
		c.pathErr(c.openErr("d", os.O_RDONLY), "open", "d", fs.ErrNotExist)
	}},
	{"dir/entries-come-and-go", nil, func(c *C) {
		c.mkdir("d")
		c.write("d/a", "")
		c.mkdir("d/b")
		c.lists("d", "a", "b")
		c.remove("d/a")
		c.lists("d", "b")
		c.rename("d/b", "d/c")
		c.lists("d", "c")
		c.remove("d/c")
		c.lists("d")
	}},
	{"dir/only-direct-children", nil, func(c *C) {
		c.mkdirAll("a/b/c")
		c.write("a/b/f", "")
		c.lists("/", "a")
		c.lists("a", "b")
		c.lists("a/b", "c", "f")
	}},
	{"dir/names-with-a-common-prefix", nil, func(c *C) {
		c.mkdir("a")
		c.mkdir("ab")
		c.write("a/x", "")
		c.write("ab/y", "")
		c.write("abc", "")
		c.lists("/", "a", "ab", "abc")
		c.lists("a", "x")
		c.lists("ab", "y")
	}},
	{"dir/handle-of-a-removed-directory", needs(OpenRemoved), func(c *C) {
		c.mkdir("d")
		f := c.open("d", os.O_RDONLY)
		c.remove("d")
		list, _ := f.Readdirnames(-1) // an error would be right, too
		require.Empty(c, list)
		c.close(f)
	}},
	{"dir/a-new-handle-lists-anew", nil, func(c *C) {
		c.write("a", "")
		f := c.open("/", os.O_RDONLY)
		_, err := f.Readdirnames(-1)
		require.NoError(c, err)
		c.write("b", "")
		c.lists("/", "a", "b")
	}},
	{"dir/sync", []Capability{Sync}, func(c *C) {
		c.mkdir("d")
		require.NoError(c, c.open("d", os.O_RDONLY).Sync())
	}},
}

var mkdirCases = []Case{
	{"mkdir/new", nil, func(c *C) {
		c.mkdir("d")
		c.isDir("d")
		c.lists("d")
	}},
	{"mkdir/existing-directory", nil, func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		c.pathErr(c.Fs.Mkdir("d", 0o755), "mkdir", "d", fs.ErrExist)
		c.holds("d/f", before)
	}},
	{"mkdir/existing-file", nil, func(c *C) {
		c.write("f", before)
		c.pathErr(c.Fs.Mkdir("f", 0o755), "mkdir", "f", fs.ErrExist)
		c.holds("f", before)
	}},
	{"mkdir/root", nil, func(c *C) {
		c.pathErr(c.Fs.Mkdir("/", 0o755), "mkdir", "/", fs.ErrExist)
	}},
	{"mkdir/missing-parent", nil, func(c *C) {
		c.pathErr(c.Fs.Mkdir("a/b", 0o755), "mkdir", "a/b", fs.ErrNotExist)
		c.missing("a")
	}},
	{"mkdir/parent-is-file", nil, func(c *C) {
		c.write("f", before)
		c.pathErr(c.Fs.Mkdir("f/d", 0o755), "mkdir", "f/d", nil)
		c.holds("f", before)
	}},
	{"mkdir/mode", needs(CreateMode), func(c *C) {
		require.NoError(c, c.Fs.Mkdir("d", 0o700))
		require.Equal(c, fs.ModeDir|0o700, c.stat("d").Mode())
	}},
	{"mkdir/mode-at-most", needs(CreateMode), func(c *C) {
		require.NoError(c, c.Fs.Mkdir("d", 0o750))
		require.Zero(c, c.stat("d").Mode().Perm()&^0o750)
	}},
	{"mkdir/again-after-remove", nil, func(c *C) {
		c.mkdir("d")
		c.write("d/f", "")
		require.NoError(c, c.Fs.RemoveAll("d"))
		c.mkdir("d")
		c.lists("d")
	}},
	{"mkdirall/new", nil, func(c *C) {
		c.mkdirAll("a/b/c")
		c.isDir("a")
		c.isDir("a/b")
		c.isDir("a/b/c")
	}},
	{"mkdirall/existing", nil, func(c *C) {
		c.mkdirAll("a/b")
		c.write("a/b/f", before)
		c.mkdirAll("a/b")
		c.mkdirAll("a")
		c.holds("a/b/f", before)
	}},
	{"mkdirall/partly-existing", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", before)
		c.mkdirAll("a/b/c")
		c.lists("a", "b", "f")
		c.isDir("a/b/c")
	}},
	{"mkdirall/root", nil, func(c *C) {
		c.mkdirAll("/")
		c.mkdirAll(".")
	}},
	{"mkdirall/over-a-file", nil, func(c *C) {
		c.write("f", before)
		err := c.Fs.MkdirAll("f", 0o755)
		c.unspecific(err)
		require.ErrorAs(c, err, new(*fs.PathError))
		c.holds("f", before)
	}},
	{"mkdirall/through-a-file", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", before)
		require.Error(c, c.Fs.MkdirAll("a/f/b/c", 0o755))
		c.holds("a/f", before)
	}},
	{"mkdirall/trailing-slash", nil, func(c *C) {
		c.mkdirAll("a/b/")
		c.isDir("a/b")
	}},
	{"mkdirall/absolute", nil, func(c *C) {
		c.mkdirAll("/a/b")
		c.isDir("a/b")
	}},
	{"mkdirall/mode", needs(CreateMode), func(c *C) {
		require.NoError(c, c.Fs.MkdirAll("a/b", 0o700))
		require.Equal(c, fs.FileMode(0o700), c.stat("a").Mode().Perm())
		require.Equal(c, fs.FileMode(0o700), c.stat("a/b").Mode().Perm())
	}},
	{"mkdirall/keeps-existing-mode", needs(CreateMode), func(c *C) {
		require.NoError(c, c.Fs.Mkdir("a", 0o700))
		require.NoError(c, c.Fs.MkdirAll("a/b", 0o777))
		require.Equal(c, fs.FileMode(0o700), c.stat("a").Mode().Perm())
	}},
	{"mkdirall/deep", nil, func(c *C) {
		name := "d"
		for range 20 {
			name += "/d"
		}
		c.mkdirAll(name)
		c.write(name+"/f", "abc")
		c.holds(name+"/f", "abc")
	}},
}
