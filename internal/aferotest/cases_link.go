package aferotest

import (
	"io/fs"
	"os"

	"github.com/stretchr/testify/require"
)

// linkCases test symbolic links themselves.
var linkCases = []Case{
	{"link/relative", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		c.target("l", "f")
		c.holds("l", before)
	}},
	{"link/absolute", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		c.link("/d/f", "l")
		c.target("l", "/d/f")
		c.holds("l", before)
	}},
	{"link/absolute-is-below-the-root-of-the-fs", needs(Links), func(c *C) {
		c.mkdirAll("a/b")
		c.write("f", before)
		c.link("/f", "a/b/l")
		c.holds("a/b/l", before)
	}},
	{"link/relative-to-its-own-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("d/f", "in d")
		c.write("f", "in root")
		c.link("f", "d/l")
		c.holds("d/l", "in d")
	}},
	{"link/to-the-parent", needs(Links), func(c *C) {
		c.mkdir("d")
		c.write("f", before)
		c.link("../f", "d/l")
		c.target("d/l", "../f")
		c.holds("d/l", before)
	}},
	{"link/target-is-kept-as-it-is", needs(Links), func(c *C) {
		for i, target := range []string{"a/../b", "./a", "a//b", "no such file", "../x", "ä\n"} {
			name := string(rune('a' + i))
			c.link(target, name)
			c.target(name, target)
		}
	}},
	{"link/dangling", needs(Links), func(c *C) {
		c.link("no", "l")
		c.target("l", "no")
		_, err := c.Fs.Stat("l")
		c.pathErr(err, "", "l", fs.ErrNotExist)
		require.ErrorIs(c, c.openErr("l", os.O_RDONLY), fs.ErrNotExist)
		c.lists("/", "l")
	}},
	{"link/target-made-later", needs(Links), func(c *C) {
		c.link("f", "l")
		c.write("f", before)
		c.holds("l", before)
	}},
	{"link/target-removed", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		c.remove("f")
		c.target("l", "f")
		_, err := c.Fs.Stat("l")
		require.ErrorIs(c, err, fs.ErrNotExist)
	}},
	{"link/to-itself", needs(Links), func(c *C) {
		c.link("l", "l")
		c.target("l", "l")
		_, err := c.Fs.Stat("l")
		c.unspecific(err)
		c.unspecific(c.openErr("l", os.O_RDONLY))
	}},
	{"link/loop-of-two", needs(Links), func(c *C) {
		c.link("b", "a")
		c.link("a", "b")
		c.unspecific(c.openErr("a", os.O_RDWR))
		c.unspecific(c.openErr("b", os.O_RDWR|os.O_CREATE))
		c.lists("/", "a", "b")
	}},
	{"link/loop-through-a-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		c.link("../d/l/x", "d/l")
		c.unspecific(c.openErr("d/l", os.O_RDONLY))
		c.unspecific(c.openErr("d/l/y", os.O_RDONLY))
	}},
	{"link/chain", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "a")
		c.link("a", "b")
		c.link("/b", "c")
		c.holds("c", before)
		c.target("c", "/b")
	}},
	{"link/existing-name", needs(Links), func(c *C) {
		c.write("f", before)
		c.mkdir("d")
		c.link("no", "l")
		for _, name := range []string{"f", "d", "l"} {
			c.linkErr(symlink(c.Fs, "target", name), "symlink", "target", name, fs.ErrExist)
		}
		c.holds("f", before)
		c.isDir("d")
		c.target("l", "no")
	}},
	{"link/missing-parent", needs(Links), func(c *C) {
		c.linkErr(symlink(c.Fs, "f", "no/l"), "symlink", "f", "no/l", fs.ErrNotExist)
	}},
	{"link/empty-target", needs(Links), func(c *C) {
		// An error on Linux, a symbolic link with an empty target elsewhere.
		if symlink(c.Fs, "", "l") == nil {
			c.target("l", "")
		} else {
			c.missing("l")
		}
	}},
	{"readlink/of-a-file", needs(Links), func(c *C) {
		c.write("f", "")
		_, err := readlink(c.Fs, "f")
		c.pathErr(err, "readlink", "f", nil)
		c.unspecific(err)
	}},
	{"readlink/of-a-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		_, err := readlink(c.Fs, "d")
		c.pathErr(err, "readlink", "d", nil)
		c.unspecific(err)
	}},
	{"readlink/missing", needs(Links), func(c *C) {
		_, err := readlink(c.Fs, "l")
		c.pathErr(err, "readlink", "l", fs.ErrNotExist)
	}},
	{"lstat/link-and-stat-of-it", needs(Links), func(c *C) {
		c.write("f", before)
		c.link("f", "l")
		fi := c.lstat("l")
		require.Equal(c, fs.ModeSymlink, fi.Mode().Type())
		require.Equal(c, "l", fi.Name())
		require.False(c, fi.IsDir())
		fi = c.stat("l")
		require.True(c, fi.Mode().IsRegular())
		require.Equal(c, "l", fi.Name(), "the name that was asked for")
		require.EqualValues(c, len(before), fi.Size())
	}},
	{"lstat/link-to-a-directory", needs(Links), func(c *C) {
		c.mkdir("d")
		c.link("d", "l")
		require.Equal(c, fs.ModeSymlink, c.lstat("l").Mode().Type())
		require.True(c, c.stat("l").IsDir())
	}},
	{"lstat/file", needs(Links), func(c *C) {
		c.write("f", before)
		require.Equal(c, c.stat("f").Mode(), c.lstat("f").Mode())
		require.Equal(c, c.stat("f").Size(), c.lstat("f").Size())
	}},
	{"lstat/says-that-it-was-lstat", needs(Links), func(c *C) {
		c.link("no", "l")
		_, did, err := c.Fs.(interface {
			LstatIfPossible(string) (os.FileInfo, bool, error)
		}).LstatIfPossible("l")
		require.NoError(c, err)
		require.True(c, did)
	}},
	{"lstat/missing", needs(Links), func(c *C) {
		fi, err := lstat(c.Fs, "l")
		c.isNil(fi)
		c.pathErr(err, "lstat", "l", fs.ErrNotExist)
	}},
	{"link/listed-as-a-link", needs(Links), func(c *C) {
		c.mkdir("d")
		c.mkdir("target")
		c.link("../target", "d/dir")
		c.link("no", "d/dangling")
		infos, err := c.open("d", os.O_RDONLY).Readdir(-1)
		require.NoError(c, err)
		require.Len(c, infos, 2)
		for _, fi := range infos {
			require.Equal(c, fs.ModeSymlink, fi.Mode().Type(), fi.Name())
		}
	}},
}
