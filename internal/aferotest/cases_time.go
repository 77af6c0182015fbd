package aferotest

import (
	"io/fs"
	"os"
	"time"

	"github.com/stretchr/testify/require"
)

var timeCases = []Case{
	{"chtimes/file", needs(Chtimes), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chtimes("f", past, past.Add(time.Hour)))
		require.True(c, past.Add(time.Hour).Equal(c.stat("f").ModTime()))
		c.holds("f", before)
	}},
	{"chtimes/directory", needs(Chtimes), func(c *C) {
		c.mkdir("d")
		require.NoError(c, c.Fs.Chtimes("d", past, past))
		require.True(c, past.Equal(c.stat("d").ModTime()))
	}},
	{"chtimes/missing", nil, func(c *C) {
		c.pathErr(c.Fs.Chtimes("f", past, past), "chtimes", "f", fs.ErrNotExist)
		c.missing("f")
	}},
	{"chtimes/another-zone", needs(Chtimes), func(c *C) {
		c.write("f", "")
		at := past.In(time.FixedZone("east", 5*3600))
		require.NoError(c, c.Fs.Chtimes("f", at, at))
		require.True(c, past.Equal(c.stat("f").ModTime()))
	}},
	{"chtimes/milliseconds", needs(Chtimes, SubSecondTimes), func(c *C) {
		c.write("f", "")
		at := past.Add(123 * time.Millisecond)
		require.NoError(c, c.Fs.Chtimes("f", at, at))
		require.True(c, at.Equal(c.stat("f").ModTime()))
	}},
	{"chtimes/seen-by-open-handles", needs(Chtimes), func(c *C) {
		c.write("f", before)
		f := c.open("f", os.O_RDONLY)
		require.NoError(c, c.Fs.Chtimes("f", past, past))
		fi, err := f.Stat()
		require.NoError(c, err)
		require.True(c, past.Equal(fi.ModTime()))
	}},
	{"chtimes/zero-leaves-as-is", needs(Chtimes), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chtimes("f", past, past))
		require.NoError(c, c.Fs.Chtimes("f", past, time.Time{}))
		require.True(c, past.Equal(c.stat("f").ModTime()))
	}},
	{"chtimes/survives-rename", needs(Chtimes), func(c *C) {
		c.write("f", "")
		require.NoError(c, c.Fs.Chtimes("f", past, past))
		c.rename("f", "g")
		require.True(c, past.Equal(c.stat("g").ModTime()))
	}},
	{"modtime/reading-is-no-change", needs(Chtimes), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chtimes("f", past, past))
		c.read("f")
		c.close(c.open("f", os.O_RDONLY))
		require.True(c, past.Equal(c.stat("f").ModTime()))
	}},
	{"modtime/opening-for-writing-is-no-change", needs(Chtimes), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chtimes("f", past, past))
		c.close(c.open("f", os.O_RDWR))
		c.close(c.open("f", os.O_WRONLY|os.O_APPEND|os.O_CREATE))
		require.True(c, past.Equal(c.stat("f").ModTime()))
	}},
	{"modtime/write", needs(Chtimes), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chtimes("f", past, past))
		f := c.open("f", os.O_WRONLY)
		c.put(f, "x")
		c.close(f)
		require.WithinDuration(c, time.Now(), c.stat("f").ModTime(), time.Minute)
	}},
	{"modtime/truncate", needs(Chtimes, Truncate), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chtimes("f", past, past))
		f := c.open("f", os.O_WRONLY)
		require.NoError(c, f.Truncate(1))
		c.close(f)
		require.WithinDuration(c, time.Now(), c.stat("f").ModTime(), time.Minute)
	}},
	{"modtime/open-with-trunc", needs(Chtimes), func(c *C) {
		c.write("f", before)
		require.NoError(c, c.Fs.Chtimes("f", past, past))
		c.close(c.open("f", os.O_WRONLY|os.O_TRUNC))
		require.WithinDuration(c, time.Now(), c.stat("f").ModTime(), time.Minute)
	}},
	{"modtime/chtimes-after-the-last-write", needs(Chtimes), func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		c.put(f, "x")
		require.NoError(c, c.Fs.Chtimes("f", past, past))
		c.close(f)
		require.True(c, past.Equal(c.stat("f").ModTime()), "close is no change")
	}},
	{"modtime/directory-changes-with-its-entries", needs(Chtimes, DirectoryTimes), func(c *C) {
		c.mkdir("d")
		require.NoError(c, c.Fs.Chtimes("d", past, past))
		c.write("d/f", "")
		require.WithinDuration(c, time.Now(), c.stat("d").ModTime(), time.Minute)
	}},
}
