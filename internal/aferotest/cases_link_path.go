package aferotest

import (
	"io/fs"
	"os"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// linkPathCases test paths that lead through symbolic links.
var linkPathCases = []Case{
	{"link/write-through", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		c.write("l", "new")
		c.holds("f", "new")
		c.target("l", "f")
	}},
	{"link/create-through-dangling", needs(Links), func(c *C) {
		c.link("f", "l")
		c.write("l", "new")
		c.holds("f", "new")
		c.target("l", "f")
	}},
	{"link/create-through-dangling-in-another-directory", needs(Links), func(c *C) {
		c.mkdirAll("a/b")
		c.link("b/f", "a/l")
		c.write("a/l", "new")
		c.holds("a/b/f", "new")
	}},
	{"link/create-through-dangling-without-parent", needs(Links), func(c *C) {
		c.link("no/f", "l")
		require.ErrorIs(c, c.openErr("l", os.O_RDWR|os.O_CREATE), fs.ErrNotExist)
	}},
	{"link/exclusive-create-is-not-followed", needs(Links, ExclusiveCreate), func(c *C) {
		c.link("f", "l")
		require.ErrorIs(c, c.openErr("l", os.O_RDWR|os.O_CREATE|os.O_EXCL), fs.ErrExist)
		c.missing("f")
	}},
	{"link/truncate-through", needs(Links, Truncate), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		require.NoError(c, c.open("l", os.O_WRONLY).Truncate(3))
		c.holds("f", before[:3])
	}},
	{"link/append-through", needs(Links), func(c *C) {
		c.write("f", "a")
		c.link("f", "l")
		f := c.open("l", os.O_WRONLY|os.O_APPEND)
		c.put(f, "b")
		c.close(f)
		c.holds("f", "ab")
	}},
	{"link/directory-listed-through", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("d/f", "")
		c.link("d", "l")
		c.lists("l", "f")
	}},
	{"link/path-component", needs(Links), func(c *C) {
		c.mkdirAll("d/sub")
		c.write("d/sub/f", before)
		c.link("d", "l")
		c.holds("l/sub/f", before)
		require.Equal(c, fs.ModeDir, c.lstat("l/sub").Mode().Type())
	}},
	{"link/two-path-components", needs(Links), func(c *C) {
		c.mkdirAll("d/sub")
		c.write("d/sub/f", before)
		c.link("sub", "d/m")
		c.link("/d", "l")
		c.holds("l/m/f", before)
	}},
	{"link/create-in-a-linked-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		c.link("d", "l")
		c.write("l/f", before)
		c.mkdir("l/sub")
		c.lists("d", "f", "sub")
	}},
	{"link/remove-in-a-linked-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("d/f", "")
		c.link("d", "l")
		c.remove("l/f")
		c.lists("d")
	}},
	{"link/rename-in-a-linked-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		c.link("d", "l")
		c.rename("l/f", "l/g")
		c.holds("d/g", before)
		c.rename("l/g", "h")
		c.holds("h", before)
		c.lists("d")
	}},
	{"link/parent-of-a-target", needs(Links), func(c *C) {
		c.mkdirAll("a/b")
		c.write("a/f", before)
		c.link("a/b/../f", "l")
		c.holds("l", before)
	}},
	{"link/dots-follow-the-links-of-a-target", needs(Links), func(c *C) {
		c.mkdirAll("a/b")
		c.write("a/f", "beside b")
		c.write("f", "in the root")
		c.link("a/b", "m")
		c.link("m/../f", "l")
		c.holds("l", "beside b")
	}},
	{"link/path-through-a-link-to-a-file", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		require.Error(c, c.openErr("l/x", os.O_RDONLY))
		require.Error(c, c.Fs.Mkdir("l/x", 0o755))
	}},
	{"link/path-through-a-dangling-link", needs(Links), func(c *C) {
		c.link("no", "l")
		require.ErrorIs(c, c.openErr("l/x", os.O_RDWR|os.O_CREATE), fs.ErrNotExist)
		c.missing("no")
	}},
	{"link/mkdir-on-a-link", needs(Links), func(c *C) {
		c.link("no", "l")
		c.pathErr(c.Fs.Mkdir("l", 0o755), "mkdir", "l", fs.ErrExist)
		c.missing("no")
	}},
	{"link/mkdirall-on-a-link-to-a-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		c.link("/d", "l")
		c.mkdirAll("l")
		c.mkdirAll("l/a/b")
		c.isDir("d/a/b")
		c.target("l", "/d")
	}},
	{"link/mkdirall-on-a-dangling-link", needs(Links), func(c *C) {
		c.link("no", "l")
		require.Error(c, c.Fs.MkdirAll("l", 0o755))
		require.Error(c, c.Fs.MkdirAll("l/a", 0o755))
		c.missing("no")
	}},
	{"link/chmod-through", needs(Links, Chmod), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		require.NoError(c, c.Fs.Chmod("l", 0o600))
		require.Equal(c, fs.FileMode(0o600), c.stat("f").Mode())
	}},
	{"link/chmod-dangling", needs(Links, Chmod), func(c *C) {
		c.link("no", "l")
		c.pathErr(c.Fs.Chmod("l", 0o600), "chmod", "l", fs.ErrNotExist)
	}},
	{"link/chtimes-through", needs(Links, Chtimes), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		require.NoError(c, c.Fs.Chtimes("l", past, past))
		require.True(c, past.Equal(c.stat("f").ModTime()))
	}},
	{"link/walk-does-not-follow", needs(Links), func(c *C) {
		c.mkdirAll("d/sub")
		c.link("..", "d/sub/up")
		var names []string
		require.NoError(c, afero.Walk(c.Fs, "d", func(name string, _ os.FileInfo, err error) error {
			names = append(names, name)
			return err
		}))
		require.Equal(c, []string{"d", "d/sub", "d/sub/up"}, names)
	}},
	{"link/tree", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		c.link("f", "d/l")
		tree, err := Tree(c.Fs)
		require.NoError(c, err)
		require.Len(c, tree, 3)
		require.Equal(c, "f", tree["d/l"].Target)
		require.Equal(c, before, tree["d/f"].Content)
	}},
}
