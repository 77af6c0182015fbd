package aferotest

import (
	"io/fs"
	"os"
	"time"

	"github.com/stretchr/testify/require"
)

// past is a time that no file has unless a test sets it.
var past = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

var statCases = []Case{
	{"stat/file", nil, func(c *C) {
		c.write("f", "abc")
		fi := c.stat("f")
		require.Equal(c, "f", fi.Name())
		require.EqualValues(c, 3, fi.Size())
		require.True(c, fi.Mode().IsRegular())
		require.False(c, fi.IsDir())
		require.WithinDuration(c, time.Now(), fi.ModTime(), time.Minute)
	}},
	{"stat/directory", nil, func(c *C) {
		c.mkdirAll("a/b")
		fi := c.stat("a/b")
		require.Equal(c, "b", fi.Name())
		require.True(c, fi.IsDir())
		require.True(c, fi.Mode().IsDir())
		require.WithinDuration(c, time.Now(), fi.ModTime(), time.Minute)
	}},
	{"stat/root", nil, func(c *C) {
		require.True(c, c.stat("/").IsDir())
		require.True(c, c.stat(".").IsDir())
	}},
	{"stat/missing", nil, func(c *C) {
		fi, err := c.Fs.Stat("f")
		c.isNil(fi)
		c.pathErr(err, "", "f", fs.ErrNotExist)
	}},
	{"stat/missing-parent", nil, func(c *C) {
		fi, err := c.Fs.Stat("no/f")
		c.isNil(fi)
		c.pathErr(err, "", "no/f", fs.ErrNotExist)
	}},
	{"stat/through-a-file", needs(NotDirErrors), func(c *C) {
		c.write("f", "")
		_, err := c.Fs.Stat("f/g")
		c.pathErr(err, "", "f/g", nil)
		c.unspecific(err)
	}},
	{"stat/is-a-snapshot", nil, func(c *C) {
		c.write("f", "abc")
		fi := c.stat("f")
		c.write("f", "longer than that")
		require.EqualValues(c, 3, fi.Size())
		c.remove("f")
		require.EqualValues(c, 3, fi.Size())
	}},
	{"stat/handle-and-name-agree", nil, func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		c.put(f, "abc")
		byName := c.stat("f")
		fi, err := f.Stat()
		require.NoError(c, err)
		require.Equal(c, byName.Name(), fi.Name())
		require.Equal(c, byName.Size(), fi.Size())
		require.Equal(c, byName.Mode(), fi.Mode())
		require.True(c, byName.ModTime().Equal(fi.ModTime()))
	}},
	{"stat/size-after-each-change", needs(Truncate), func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		size := func(want int64) { require.EqualValues(c, want, c.stat("f").Size()) }
		size(0)
		c.put(f, "abc")
		size(3)
		_, err := f.WriteAt([]byte("x"), 9)
		require.NoError(c, err)
		size(10)
		require.NoError(c, f.Truncate(4))
		size(4)
	}},
}

var modeCases = []Case{
	{"chmod/file", needs(Chmod), func(c *C) {
		c.write("f", "")
		for _, mode := range []fs.FileMode{0o600, 0o644, 0o755, 0o400, 0o777} {
			require.NoError(c, c.Fs.Chmod("f", mode))
			require.Equal(c, mode, c.stat("f").Mode())
		}
	}},
	{"chmod/directory", needs(Chmod), func(c *C) {
		c.mkdir("d")
		c.write("d/f", before)
		require.NoError(c, c.Fs.Chmod("d", 0o700))
		require.Equal(c, fs.ModeDir|0o700, c.stat("d").Mode())
		c.holds("d/f", before)
	}},
	{"chmod/missing", nil, func(c *C) {
		c.pathErr(c.Fs.Chmod("f", 0o600), "chmod", "f", fs.ErrNotExist)
		c.missing("f")
	}},
	{"chmod/keeps-content-and-time", needs(Chmod), func(c *C) {
		c.write("f", before)
		was := c.stat("f").ModTime()
		require.NoError(c, c.Fs.Chmod("f", 0o600))
		c.holds("f", before)
		require.True(c, was.Equal(c.stat("f").ModTime()))
	}},
	{"chmod/none-at-all", needs(Chmod), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chmod("f", 0))
		require.Equal(c, fs.FileMode(0), c.stat("f").Mode())
		require.NoError(c, c.Fs.Chmod("f", 0o600))
		c.holds("f", before)
	}},
	{"chmod/kind-bits-are-ignored", needs(Chmod), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chmod("f", fs.ModeDir|0o640))
		require.Equal(c, fs.FileMode(0o640), c.stat("f").Mode())
	}},
	{"chmod/seen-by-open-handles", needs(Chmod), func(c *C) {
		c.write("f", before)
		f := c.open("f", os.O_RDWR)
		require.NoError(c, c.Fs.Chmod("f", 0o400))
		fi, err := f.Stat()
		require.NoError(c, err)
		require.Equal(c, fs.FileMode(0o400), fi.Mode())
		c.put(f, "x") // permission is checked at open
	}},
	{"chmod/survives-a-rewrite", needs(Chmod), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chmod("f", 0o640))
		c.write("f", "new")
		require.Equal(c, fs.FileMode(0o640), c.stat("f").Mode())
	}},
	{"chmod/listed", needs(Chmod), func(c *C) {
		c.mkdir("d")
		c.write("d/f", "")
		require.NoError(c, c.Fs.Chmod("d/f", 0o604))
		infos, err := c.open("d", os.O_RDONLY).Readdir(-1)
		require.NoError(c, err)
		require.Len(c, infos, 1)
		require.Equal(c, fs.FileMode(0o604), infos[0].Mode())
	}},
	{"chown/to-its-own", needs(Chown), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chown("f", os.Getuid(), os.Getgid()))
		c.holds("f", before)
	}},
	{"chown/minus-one-changes-nothing", needs(Chown), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chown("f", -1, -1))
		c.holds("f", before)
	}},
	{"chown/missing", nil, func(c *C) {
		c.pathErr(c.Fs.Chown("f", os.Getuid(), os.Getgid()), "chown", "f", fs.ErrNotExist)
	}},
}
