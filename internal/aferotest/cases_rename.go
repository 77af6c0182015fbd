package aferotest

import (
	"io/fs"

	"github.com/stretchr/testify/require"
)

var renameCases = []Case{
	{"rename/file-to-new", nil, func(c *C) {
		c.write("a", before)
		c.rename("a", "b")
		c.missing("a")
		c.holds("b", before)
		c.lists("/", "b")
	}},
	{"rename/file-over-file", needs(AtomicReplace), func(c *C) {
		c.write("a", "new")
		c.write("b", before)
		c.rename("a", "b")
		c.missing("a")
		c.holds("b", "new")
		c.lists("/", "b")
	}},
	{"rename/longer-over-shorter-and-back", needs(AtomicReplace), func(c *C) {
		c.write("a", "a long content")
		c.write("b", "b")
		c.rename("a", "b")
		c.holds("b", "a long content")
		c.write("a", "a")
		c.rename("a", "b")
		c.holds("b", "a")
	}},
	{"rename/file-over-itself", nil, func(c *C) {
		c.write("a", before)
		c.rename("a", "a")
		c.holds("a", before)
	}},
	{"rename/file-over-itself-by-another-spelling", nil, func(c *C) {
		c.mkdir("d")
		c.write("a", before)
		c.rename("a", "/d/../a")
		c.holds("a", before)
	}},
	{"rename/file-over-empty-directory", nil, func(c *C) {
		c.write("a", before)
		c.mkdir("d")
		c.linkErr(c.Fs.Rename("a", "d"), "rename", "a", "d", nil)
		c.holds("a", before)
		c.isDir("d")
	}},
	{"rename/file-over-full-directory", nil, func(c *C) {
		c.write("a", before)
		c.mkdir("d")
		c.write("d/f", "in d")
		c.linkErr(c.Fs.Rename("a", "d"), "rename", "a", "d", nil)
		c.holds("a", before)
		c.holds("d/f", "in d")
	}},
	{"rename/file-into-directory", nil, func(c *C) {
		c.write("a", before)
		c.mkdir("d")
		c.rename("a", "d/a")
		c.missing("a")
		c.holds("d/a", before)
		c.lists("d", "a")
		c.lists("/", "d")
	}},
	{"rename/file-out-of-directory", nil, func(c *C) {
		c.mkdir("d")
		c.write("d/a", before)
		c.rename("d/a", "a")
		c.holds("a", before)
		c.lists("d")
	}},
	{"rename/missing-source", nil, func(c *C) {
		c.linkErr(c.Fs.Rename("a", "b"), "rename", "a", "b", fs.ErrNotExist)
		c.missing("a", "b")
	}},
	{"rename/missing-source-over-file", nil, func(c *C) {
		c.write("b", before)
		c.linkErr(c.Fs.Rename("a", "b"), "rename", "a", "b", fs.ErrNotExist)
		c.holds("b", before)
	}},
	{"rename/missing-source-over-itself", nil, func(c *C) {
		c.linkErr(c.Fs.Rename("a", "a"), "rename", "a", "a", fs.ErrNotExist)
		c.missing("a")
	}},
	{"rename/missing-target-parent", nil, func(c *C) {
		c.write("a", before)
		c.linkErr(c.Fs.Rename("a", "no/b"), "rename", "a", "no/b", fs.ErrNotExist)
		c.holds("a", before)
		c.missing("no")
	}},
	{"rename/missing-source-parent", nil, func(c *C) {
		c.linkErr(c.Fs.Rename("no/a", "b"), "rename", "no/a", "b", fs.ErrNotExist)
		c.missing("b")
	}},
	{"rename/target-parent-is-file", nil, func(c *C) {
		c.write("a", before)
		c.write("f", "f")
		c.linkErr(c.Fs.Rename("a", "f/b"), "rename", "a", "f/b", nil)
		c.holds("a", before)
		c.holds("f", "f")
	}},
	{"rename/source-parent-is-file", nil, func(c *C) {
		c.write("f", before)
		c.linkErr(c.Fs.Rename("f/a", "b"), "rename", "f/a", "b", nil)
		c.holds("f", before)
		c.missing("b")
	}},
	{"rename/swap-by-a-third-name", nil, func(c *C) {
		c.write("a", "A")
		c.write("b", "B")
		c.rename("a", "t")
		c.rename("b", "a")
		c.rename("t", "b")
		c.holds("a", "B")
		c.holds("b", "A")
		c.lists("/", "a", "b")
	}},
	{"rename/chain", nil, func(c *C) {
		c.write("a", before)
		for _, to := range []string{"b", "c", "d", "a"} {
			from := c.names("/")[0]
			c.rename(from, to)
		}
		c.holds("a", before)
		c.lists("/", "a")
	}},
	{"rename/write-temporary-and-replace", needs(AtomicReplace), func(c *C) {
		c.write("f", before)
		for _, content := range []string{"second", "third, longer", ""} {
			c.write(".f.tmp", content)
			c.rename(".f.tmp", "f")
			c.holds("f", content)
		}
		c.lists("/", "f")
	}},
	{"rename/backup-and-rewrite", nil, func(c *C) {
		c.write("f", before)
		c.rename("f", "f~")
		c.write("f", "new")
		c.holds("f~", before)
		c.holds("f", "new")
	}},
	{"rename/old-name-is-free", nil, func(c *C) {
		c.write("a", before)
		c.rename("a", "b")
		c.mkdir("a")
		c.holds("b", before)
		c.isDir("a")
	}},
	{"rename/keeps-time", nil, func(c *C) {
		c.write("a", before)
		was := c.stat("a").ModTime()
		c.rename("a", "b")
		require.True(c, was.Equal(c.stat("b").ModTime()), "a rename is no change of the content")
	}},
	{"rename/keeps-mode", needs(Chmod), func(c *C) {
		c.write("a", before)
		require.NoError(c, c.Fs.Chmod("a", 0o640))
		c.rename("a", "b")
		require.Equal(c, fs.FileMode(0o640), c.stat("b").Mode())
	}},
	{"rename/takes-its-mode-along-over-another", needs(Chmod, AtomicReplace), func(c *C) {
		c.write("a", "new")
		c.write("b", before)
		require.NoError(c, c.Fs.Chmod("a", 0o600))
		require.NoError(c, c.Fs.Chmod("b", 0o644))
		c.rename("a", "b")
		require.Equal(c, fs.FileMode(0o600), c.stat("b").Mode())
	}},
	{"rename/case-only", needs(OddNames), func(c *C) {
		c.write("name", before)
		c.rename("name", "NAME")
		c.lists("/", "NAME")
		c.holds("NAME", before)
	}},
	{"rename/root", nil, func(c *C) {
		c.mkdir("d")
		require.Error(c, c.Fs.Rename("/", "d/x"))
		require.Error(c, c.Fs.Rename("d", "/"))
		c.isDir("/")
		c.isDir("d")
	}},
}
