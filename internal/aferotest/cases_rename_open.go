package aferotest

import (
	"os"

	"github.com/stretchr/testify/require"
)

var renameOpenCases = []Case{
	{"rename/open-for-reading", needs(OpenRenamed), func(c *C) {
		c.write("a", before)
		f := c.open("a", os.O_RDONLY)
		c.rename("a", "b")
		require.Equal(c, before, c.rest(f))
	}},
	{"rename/open-for-writing", needs(OpenRenamed), func(c *C) {
		f := c.open("a", os.O_WRONLY|os.O_CREATE)
		c.put(f, "one ")
		c.rename("a", "b")
		c.put(f, "two")
		c.holds("b", "one two")
		c.close(f)
		c.missing("a")
		c.holds("b", "one two")
	}},
	{"rename/open-and-a-new-file-of-the-old-name", needs(OpenRenamed), func(c *C) {
		f := c.open("a", os.O_WRONLY|os.O_CREATE)
		c.rename("a", "b")
		c.write("a", "other")
		c.put(f, "mine")
		c.close(f)
		c.holds("a", "other")
		c.holds("b", "mine")
	}},
	{"rename/over-an-open-file", needs(OpenRemoved, AtomicReplace), func(c *C) {
		c.write("a", "new")
		c.write("b", before)
		f := c.open("b", os.O_RDWR)
		c.rename("a", "b")
		require.Equal(c, before, c.rest(f), "the handle is of the replaced file")
		c.put(f, "!")
		c.close(f)
		c.holds("b", "new")
	}},
	{"rename/open-replaces-another", needs(OpenRenamed, AtomicReplace), func(c *C) {
		c.write("b", before)
		f := c.open("a", os.O_RDWR|os.O_CREATE)
		c.put(f, "one ")
		c.rename("a", "b")
		c.put(f, "two")
		c.close(f)
		c.holds("b", "one two")
	}},
	{"rename/directory-of-an-open-file", needs(OpenRenamed), func(c *C) {
		c.mkdir("a")
		f := c.open("a/f", os.O_WRONLY|os.O_CREATE)
		c.put(f, "one ")
		c.rename("a", "b")
		c.put(f, "two")
		c.close(f)
		c.holds("b/f", "one two")
		c.missing("a")
	}},
	{"rename/open-and-truncate", needs(OpenRenamed, Truncate), func(c *C) {
		c.write("a", "abcdef")
		f := c.open("a", os.O_WRONLY)
		c.rename("a", "b")
		require.NoError(c, f.Truncate(3))
		c.holds("b", "abc")
	}},
	{"rename/stat-of-the-handle", needs(OpenRenamed), func(c *C) {
		c.write("a", "abc")
		f := c.open("a", os.O_RDONLY)
		c.rename("a", "b")
		fi, err := f.Stat()
		require.NoError(c, err)
		require.EqualValues(c, 3, fi.Size())
		require.Equal(c, "a", f.Name(), "as it was opened")
	}},
	{"rename/open-and-back", needs(OpenRenamed), func(c *C) {
		f := c.open("a", os.O_RDWR|os.O_CREATE)
		c.put(f, "1")
		c.rename("a", "b")
		c.put(f, "2")
		c.rename("b", "a")
		c.put(f, "3")
		c.close(f)
		c.holds("a", "123")
		c.missing("b")
	}},
	{"rename/open-directory", needs(OpenRenamed, OpenDirectories), func(c *C) {
		c.mkdir("a")
		c.write("a/f", "")
		f := c.open("a", os.O_RDONLY)
		c.rename("a", "b")
		names, err := f.Readdirnames(-1)
		require.NoError(c, err)
		require.Equal(c, []string{"f"}, names)
	}},
	{"rename/append-handle", needs(OpenRenamed), func(c *C) {
		c.write("a", "one ")
		f := c.open("a", os.O_WRONLY|os.O_APPEND)
		c.rename("a", "b")
		c.put(f, "two")
		c.holds("b", "one two")
	}},
}
