package aferotest

import (
	"io/fs"

	"github.com/stretchr/testify/require"
)

// linkChangeCases move and remove symbolic links.
var linkChangeCases = []Case{
	{"link/remove", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		c.remove("l")
		c.holds("f", before)
		c.lists("/", "f")
	}},
	{"link/remove-dangling", needs(Links), func(c *C) {
		c.link("no", "l")
		c.remove("l")
		c.missing("l")
	}},
	{"link/remove-link-to-a-full-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		c.link("d", "l")
		c.remove("l")
		c.holds("d/f", before)
		c.lists("/", "d")
	}},
	{"link/removeall-of-a-link", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		c.link("d", "l")
		require.NoError(c, c.Fs.RemoveAll("l"))
		c.holds("d/f", before)
		c.lists("/", "d")
	}},
	{"link/removeall-of-a-dangling-link", needs(Links), func(c *C) {
		c.link("no", "l")
		require.NoError(c, c.Fs.RemoveAll("l"))
		c.lists("/")
	}},
	{"link/removeall-does-not-follow", needs(Links), func(c *C) {
		c.mkdir("keep")
		c.write("keep/f", before)
		c.mkdirAll("d/sub")
		c.link("../../keep", "d/sub/l")
		c.link("/keep/f", "d/m")
		require.NoError(c, c.Fs.RemoveAll("d"))
		c.missing("d")
		c.holds("keep/f", before)
	}},
	{"link/removeall-through-a-link", needs(Links), func(c *C) {
		c.mkdirAll("d/sub/deep")
		c.link("d", "l")
		require.NoError(c, c.Fs.RemoveAll("l/sub"))
		c.lists("d")
		c.target("l", "d")
	}},
	{"link/rename", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		c.rename("l", "m")
		c.target("m", "f")
		c.holds("f", before)
		c.lists("/", "f", "m")
	}},
	{"link/rename-dangling", needs(Links), func(c *C) {
		c.link("no", "l")
		c.rename("l", "m")
		c.target("m", "no")
		c.lists("/", "m")
	}},
	{"link/rename-into-a-directory-keeps-the-target", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("f", "in root")
		c.write("d/f", "in d")
		c.link("f", "l")
		c.rename("l", "d/l")
		c.target("d/l", "f")
		c.holds("d/l", "in d")
	}},
	{"link/rename-over-a-file", needs(Links, AtomicReplace), func(c *C) {
		c.write("f", before)
		c.write("g", "gone")
		c.link("f", "l")
		c.rename("l", "g")
		c.target("g", "f")
		c.lists("/", "f", "g")
	}},
	{"link/rename-file-over-a-link", needs(Links, AtomicReplace), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		c.write("g", "new")
		c.rename("g", "l")
		require.True(c, c.lstat("l").Mode().IsRegular())
		c.holds("l", "new")
		c.holds("f", before)
	}},
	{"link/rename-target-away", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		c.rename("f", "g")
		_, err := c.Fs.Stat("l")
		require.ErrorIs(c, err, fs.ErrNotExist)
		c.target("l", "f")
	}},
	{"link/rename-directory-over-a-link-to-a-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		c.mkdir("e")
		c.link("d", "l")
		require.Error(c, c.Fs.Rename("e", "l"))
		c.target("l", "d")
		c.isDir("e")
	}},
	{"link/directory-of-links-renamed", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		c.link("f", "d/rel")
		c.link("/d/f", "d/abs")
		c.rename("d", "e")
		c.holds("e/rel", before)
		_, err := c.Fs.Stat("e/abs")
		require.ErrorIs(c, err, fs.ErrNotExist)
	}},
	{"link/replaced-by-a-file", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		c.remove("l")
		c.write("l", "own")
		c.holds("f", before)
		c.holds("l", "own")
	}},
}
