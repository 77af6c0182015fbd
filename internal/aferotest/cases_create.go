package aferotest

import (
	"io/fs"
	"os"

	"github.com/stretchr/testify/require"
)

var createCases = []Case{
	{"create/new", nil, func(c *C) {
		f, err := c.Fs.Create("f")
		require.NoError(c, err)
		c.track(f)
		c.put(f, "abc")
		require.Equal(c, "abc", c.all(f), "Create opens for reading as well")
		c.close(f)
		c.holds("f", "abc")
	}},
	{"create/truncates", nil, func(c *C) {
		c.write("f", before)
		f, err := c.Fs.Create("f")
		require.NoError(c, err)
		c.track(f)
		c.holds("f", "")
	}},
	{"create/over-directory", nil, func(c *C) {
		c.mkdir("d")
		f, err := c.Fs.Create("d")
		c.isNil(f)
		c.pathErr(err, "open", "d", nil)
		c.unspecific(err)
		c.isDir("d")
	}},
	{"create/missing-parent", nil, func(c *C) {
		f, err := c.Fs.Create("no/f")
		c.isNil(f)
		c.pathErr(err, "open", "no/f", fs.ErrNotExist)
		c.missing("no")
	}},
	{"create/parent-is-file", nil, func(c *C) {
		c.write("p", before)
		c.pathErr(c.openErr("p/f", os.O_RDWR|os.O_CREATE), "open", "p/f", nil)
		c.holds("p", before)
	}},
	{"create/parent-is-file-errno", needs(NotDirErrors), func(c *C) {
		c.write("p", before)
		c.unspecific(c.openErr("p/f", os.O_RDWR|os.O_CREATE))
	}},
	{"create/visible-before-close", nil, func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		c.lists("/", "f")
		c.holds("f", "")
		c.put(f, "abc")
		c.holds("f", "abc")
	}},
	{"create/in-directory", nil, func(c *C) {
		c.mkdirAll("a/b")
		c.write("a/b/f", "abc")
		c.holds("a/b/f", "abc")
		c.lists("a/b", "f")
		c.lists("a", "b")
	}},
	{"create/same-name-in-two-directories", nil, func(c *C) {
		c.mkdir("a")
		c.mkdir("b")
		c.write("a/f", "in a")
		c.write("b/f", "in b")
		c.holds("a/f", "in a")
		c.holds("b/f", "in b")
	}},
	{"create/recreate-after-remove", nil, func(c *C) {
		c.write("f", before)
		c.remove("f")
		f := c.open("f", os.O_RDWR|os.O_CREATE|os.O_EXCL)
		require.Empty(c, c.rest(f))
		c.holds("f", "")
	}},
	{"create/mode-private", needs(CreateMode), func(c *C) {
		f, err := c.Fs.OpenFile("f", os.O_WRONLY|os.O_CREATE, 0o600)
		require.NoError(c, err)
		c.track(f)
		require.Equal(c, fs.FileMode(0o600), c.stat("f").Mode())
	}},
	{"create/mode-executable", needs(CreateMode), func(c *C) {
		f, err := c.Fs.OpenFile("f", os.O_WRONLY|os.O_CREATE, 0o700)
		require.NoError(c, err)
		c.track(f)
		require.Equal(c, fs.FileMode(0o700), c.stat("f").Mode())
	}},
	{"create/mode-read-only-handle-writes", needs(CreateMode), func(c *C) {
		f, err := c.Fs.OpenFile("f", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
		require.NoError(c, err)
		c.track(f)
		c.put(f, "abc")
		c.close(f)
		require.EqualValues(c, 3, c.stat("f").Size())
	}},
	{"create/mode-nothing-more-than-asked", needs(CreateMode), func(c *C) {
		f, err := c.Fs.OpenFile("f", os.O_WRONLY|os.O_CREATE, 0o640)
		require.NoError(c, err)
		c.track(f)
		require.Zero(c, c.stat("f").Mode()&^0o640)
	}},
	{"create/existing-keeps-mode", needs(CreateMode), func(c *C) {
		f, err := c.Fs.OpenFile("f", os.O_WRONLY|os.O_CREATE, 0o600)
		require.NoError(c, err)
		c.track(f)
		c.close(f)
		f, err = c.Fs.OpenFile("f", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o777)
		require.NoError(c, err)
		c.track(f)
		require.Equal(c, fs.FileMode(0o600), c.stat("f").Mode())
	}},
	{"create/open-with-mode-0-changes-nothing", nil, func(c *C) {
		c.write("f", before)
		mode := c.stat("f").Mode()
		f, err := c.Fs.OpenFile("f", os.O_RDONLY, 0)
		require.NoError(c, err)
		c.track(f)
		require.Equal(c, mode, c.stat("f").Mode())
		c.holds("f", before)
	}},
	{"create/sync-flag", nil, func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE|os.O_SYNC)
		c.put(f, "abc")
		c.holds("f", "abc")
	}},
}
