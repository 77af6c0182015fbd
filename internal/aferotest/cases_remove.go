package aferotest

import (
	"io"
	"io/fs"
	"os"

	"github.com/stretchr/testify/require"
)

var removeCases = []Case{
	{"remove/file", nil, func(c *C) {
		c.write("f", before)
		c.write("g", "stays")
		c.remove("f")
		c.missing("f")
		c.lists("/", "g")
	}},
	{"remove/empty-directory", nil, func(c *C) {
		c.mkdir("d")
		c.remove("d")
		c.missing("d")
	}},
	{"remove/full-directory", nil, func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		err := c.Fs.Remove("d")
		c.pathErr(err, "remove", "d", nil)
		c.unspecific(err)
		c.holds("d/f", before)
	}},
	{"remove/directory-of-directories", nil, func(c *C) {
		c.mkdirAll("d/sub")
		c.unspecific(c.Fs.Remove("d"))
		c.isDir("d/sub")
	}},
	{"remove/missing", nil, func(c *C) {
		c.pathErr(c.Fs.Remove("f"), "remove", "f", fs.ErrNotExist)
	}},
	{"remove/missing-parent", nil, func(c *C) {
		c.pathErr(c.Fs.Remove("no/f"), "remove", "no/f", fs.ErrNotExist)
	}},
	{"remove/through-a-file", needs(NotDirErrors), func(c *C) {
		c.write("f", before)
		err := c.Fs.Remove("f/g")
		c.pathErr(err, "remove", "f/g", nil)
		c.unspecific(err)
		c.holds("f", before)
	}},
	{"remove/twice", nil, func(c *C) {
		c.write("f", "")
		c.remove("f")
		require.ErrorIs(c, c.Fs.Remove("f"), fs.ErrNotExist)
	}},
	{"remove/root", nil, func(c *C) {
		require.Error(c, c.Fs.Remove("/"))
		c.isDir("/")
		c.write("f", "")
	}},
	{"remove/then-the-emptied-parent", nil, func(c *C) {
		c.mkdir("d")
		c.write("d/f", "")
		c.remove("d/f")
		c.remove("d")
		c.missing("d")
	}},
	{"remove/then-a-directory-of-that-name", nil, func(c *C) {
		c.write("x", before)
		c.remove("x")
		c.mkdir("x")
		c.isDir("x")
		c.remove("x")
		c.write("x", "again")
		c.holds("x", "again")
	}},
	{"remove/after-listing-all-of-it", nil, func(c *C) {
		c.mkdir("d")
		for _, name := range []string{"a", "b", "c"} {
			c.write("d/"+name, "")
		}
		for _, name := range c.names("d") {
			c.remove("d/" + name)
		}
		c.lists("d")
	}},
	{"remove/open-for-reading", needs(OpenRemoved), func(c *C) {
		c.write("f", before)
		f := c.open("f", os.O_RDONLY)
		c.remove("f")
		c.missing("f")
		require.Equal(c, before, c.rest(f))
	}},
	{"remove/open-for-writing", needs(OpenRemoved, Truncate), func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		c.put(f, "one ")
		c.remove("f")
		c.put(f, "two")
		require.Equal(c, "one two", c.all(f))
		require.NoError(c, f.Truncate(3))
		pos, err := f.Seek(0, io.SeekEnd)
		require.NoError(c, err)
		require.EqualValues(c, 3, pos)
		c.close(f)
		c.missing("f")
	}},
	{"remove/open-and-a-new-file-of-that-name", needs(OpenRemoved), func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		c.put(f, "old")
		c.remove("f")
		c.write("f", "new")
		c.put(f, "er")
		require.Equal(c, "older", c.all(f))
		c.close(f)
		c.holds("f", "new")
	}},
	{"remove/open-stat-of-the-handle", needs(OpenRemoved), func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_RDONLY)
		c.remove("f")
		fi, err := f.Stat()
		require.NoError(c, err)
		require.EqualValues(c, 3, fi.Size())
	}},
	{"remove/open-twice-close-one", needs(OpenRemoved), func(c *C) {
		c.write("f", "abc")
		f, g := c.open("f", os.O_RDONLY), c.open("f", os.O_RDONLY)
		c.remove("f")
		c.close(f)
		require.Equal(c, "abc", c.rest(g))
	}},
	{"remove/parent-of-an-open-file", needs(OpenRemoved), func(c *C) {
		c.mkdir("d")
		f := c.open("d/f", os.O_RDWR|os.O_CREATE)
		c.put(f, "abc")
		require.NoError(c, c.Fs.RemoveAll("d"))
		require.Equal(c, "abc", c.all(f))
		c.close(f)
		c.missing("d")
	}},
}

var removeAllCases = []Case{
	{"removeall/missing", nil, func(c *C) {
		require.NoError(c, c.Fs.RemoveAll("f"))
		require.NoError(c, c.Fs.RemoveAll("no/f"))
	}},
	{"removeall/file", nil, func(c *C) {
		c.write("f", "")
		require.NoError(c, c.Fs.RemoveAll("f"))
		c.missing("f")
	}},
	{"removeall/empty-directory", nil, func(c *C) {
		c.mkdir("d")
		require.NoError(c, c.Fs.RemoveAll("d"))
		c.missing("d")
	}},
	{"removeall/tree", nil, func(c *C) {
		c.mkdirAll("d/a/b/c")
		c.mkdirAll("d/e")
		for _, name := range []string{"d/f", "d/a/f", "d/a/b/c/f", "d/e/f"} {
			c.write(name, name)
		}
		require.NoError(c, c.Fs.RemoveAll("d"))
		c.missing("d", "d/f", "d/a", "d/a/b/c/f")
		c.lists("/")
	}},
	{"removeall/siblings-stay", nil, func(c *C) {
		for _, dir := range []string{"d", "da", "d-"} {
			c.mkdir(dir)
			c.write(dir+"/f", dir)
		}
		c.write("d.txt", "d.txt")
		require.NoError(c, c.Fs.RemoveAll("d"))
		c.lists("/", "d-", "d.txt", "da")
		c.holds("da/f", "da")
		c.holds("d-/f", "d-")
	}},
	{"removeall/part-of-a-tree", nil, func(c *C) {
		c.mkdirAll("d/a/b")
		c.write("d/f", "stays")
		require.NoError(c, c.Fs.RemoveAll("d/a"))
		c.lists("d", "f")
	}},
	{"removeall/trailing-slash", nil, func(c *C) {
		c.mkdirAll("d/a")
		require.NoError(c, c.Fs.RemoveAll("d/"))
		c.missing("d")
	}},
	{"removeall/twice", nil, func(c *C) {
		c.mkdirAll("d/a")
		require.NoError(c, c.Fs.RemoveAll("d"))
		require.NoError(c, c.Fs.RemoveAll("d"))
	}},
	{"removeall/many-entries", nil, func(c *C) {
		c.mkdir("d")
		for i := range 150 {
			c.write("d/"+string(rune('a'+i%26))+string(rune('a'+i/26)), "")
		}
		require.NoError(c, c.Fs.RemoveAll("d"))
		c.missing("d")
	}},
	{"removeall/then-again-a-tree", nil, func(c *C) {
		c.mkdirAll("d/a")
		c.write("d/a/f", before)
		require.NoError(c, c.Fs.RemoveAll("d"))
		c.mkdirAll("d/a")
		c.lists("d/a")
	}},
	{"removeall/through-a-file", needs(NotDirErrors), func(c *C) {
		c.write("f", before)
		// An error on some platforms, no error on others.
		if err := c.Fs.RemoveAll("f/g"); err != nil {
			c.unspecific(err)
		}
		c.holds("f", before)
	}},
	{"removeall/open-file-inside", needs(OpenRemoved), func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		f := c.open("d/f", os.O_RDONLY)
		require.NoError(c, c.Fs.RemoveAll("d"))
		require.Equal(c, before, c.rest(f))
	}},
}
