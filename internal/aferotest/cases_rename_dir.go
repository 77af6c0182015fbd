package aferotest

import (
	"io/fs"

	"github.com/stretchr/testify/require"
)

var renameDirCases = []Case{
	{"rename/directory-to-new", nil, func(c *C) {
		c.mkdir("a")
		c.rename("a", "b")
		c.missing("a")
		c.isDir("b")
	}},
	{"rename/directory-with-content", nil, func(c *C) {
		c.mkdirAll("a/sub/deep")
		c.write("a/f", "f")
		c.write("a/sub/deep/g", "g")
		c.rename("a", "b")
		c.missing("a", "a/f", "a/sub")
		c.holds("b/f", "f")
		c.holds("b/sub/deep/g", "g")
		c.lists("b", "f", "sub")
		c.lists("/", "b")
	}},
	{"rename/directory-into-another", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "f")
		c.mkdir("p")
		c.rename("a", "p/a")
		c.holds("p/a/f", "f")
		c.lists("/", "p")
	}},
	{"rename/directory-over-itself", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "f")
		// Package os refuses this on some platforms, but not on others.
		_ = c.Fs.Rename("a", "a")
		c.holds("a/f", "f")
	}},
	{"rename/directory-over-directory", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "f")
		c.mkdir("b")
		c.linkErr(c.Fs.Rename("a", "b"), "rename", "a", "b", fs.ErrExist)
		c.holds("a/f", "f")
		c.lists("b")
	}},
	{"rename/directory-over-full-directory", nil, func(c *C) {
		c.mkdir("a")
		c.mkdir("b")
		c.write("b/f", "f")
		c.linkErr(c.Fs.Rename("a", "b"), "rename", "a", "b", fs.ErrExist)
		c.isDir("a")
		c.holds("b/f", "f")
	}},
	{"rename/directory-over-file", nil, func(c *C) {
		c.mkdir("a")
		c.write("b", before)
		err := c.Fs.Rename("a", "b")
		c.linkErr(err, "rename", "a", "b", nil)
		c.unspecific(err)
		c.isDir("a")
		c.holds("b", before)
	}},
	{"rename/directory-into-itself", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "f")
		err := c.Fs.Rename("a", "a/b")
		c.linkErr(err, "rename", "a", "a/b", nil)
		c.unspecific(err)
		c.holds("a/f", "f")
		c.lists("a", "f")
	}},
	{"rename/directory-deep-into-itself", nil, func(c *C) {
		c.mkdirAll("a/b/c")
		c.unspecific(c.Fs.Rename("a", "a/b/c/d"))
		c.isDir("a/b/c")
		c.lists("a/b/c")
	}},
	{"rename/directory-over-its-parent", nil, func(c *C) {
		c.mkdirAll("a/b")
		c.linkErr(c.Fs.Rename("a/b", "a"), "rename", "a/b", "a", fs.ErrExist)
		c.isDir("a/b")
	}},
	{"rename/directory-to-a-name-with-its-own-as-prefix", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "f")
		c.rename("a", "ab")
		c.holds("ab/f", "f")
		c.lists("/", "ab")
	}},
	{"rename/sibling-with-the-same-prefix-stays", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "f")
		c.mkdir("ab")
		c.write("ab/f", "other")
		c.rename("a", "x")
		c.holds("x/f", "f")
		c.holds("ab/f", "other")
		c.lists("/", "ab", "x")
	}},
	{"rename/directory-missing-target-parent", nil, func(c *C) {
		c.mkdir("a")
		c.linkErr(c.Fs.Rename("a", "no/b"), "rename", "a", "no/b", fs.ErrNotExist)
		c.isDir("a")
	}},
	{"rename/directory-under-a-file", nil, func(c *C) {
		c.mkdir("a")
		c.write("f", before)
		require.Error(c, c.Fs.Rename("a", "f/a"))
		c.isDir("a")
		c.holds("f", before)
	}},
	{"rename/directory-there-and-back", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "f")
		c.rename("a", "b")
		c.rename("b", "a")
		c.holds("a/f", "f")
		c.lists("/", "a")
	}},
	{"rename/directory-then-a-new-one-of-the-old-name", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "f")
		c.rename("a", "b")
		c.mkdir("a")
		c.lists("a")
		c.write("a/g", "g")
		c.lists("b", "f")
		c.lists("a", "g")
	}},
	{"rename/swap-of-directories", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "A")
		c.mkdir("b")
		c.write("b/f", "B")
		c.rename("a", "t")
		c.rename("b", "a")
		c.rename("t", "b")
		c.holds("a/f", "B")
		c.holds("b/f", "A")
	}},
	{"rename/child-out-then-parent", nil, func(c *C) {
		c.mkdir("a")
		c.write("a/f", "f")
		c.write("a/g", "g")
		c.rename("a/f", "f")
		c.rename("a", "b")
		c.lists("b", "g")
		c.holds("f", "f")
	}},
	{"rename/parent-then-child-within", nil, func(c *C) {
		c.mkdirAll("a/sub")
		c.write("a/f", "f")
		c.rename("a", "b")
		c.rename("b/f", "b/sub/f")
		c.holds("b/sub/f", "f")
		c.lists("b", "sub")
	}},
	{"rename/parent-and-child-exchange-places", nil, func(c *C) {
		c.mkdirAll("a/b")
		c.write("a/fa", "a")
		c.write("a/b/fb", "b")
		c.rename("a/b", "t")
		c.rename("a", "t/a")
		c.rename("t", "b")
		c.holds("b/fb", "b")
		c.holds("b/a/fa", "a")
		c.lists("/", "b")
	}},
	{"rename/create-under-the-new-name", nil, func(c *C) {
		c.mkdir("a")
		c.rename("a", "b")
		c.write("b/f", "f")
		c.mkdir("b/d")
		c.lists("b", "d", "f")
		require.ErrorIs(c, c.Fs.Mkdir("a/d", 0o755), fs.ErrNotExist)
	}},
	{"rename/keeps-directory-mode", needs(Chmod), func(c *C) {
		c.mkdir("a")
		require.NoError(c, c.Fs.Chmod("a", 0o700))
		c.rename("a", "b")
		require.Equal(c, fs.FileMode(0o700), c.stat("b").Mode().Perm())
	}},
}
