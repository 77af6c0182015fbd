package aferotest

import (
	"io"
	"io/fs"
	"os"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

var truncateCases = []Case{
	{"truncate/shrink", needs(Truncate), func(c *C) {
		c.write("f", "abcdef")
		require.NoError(c, c.open("f", os.O_WRONLY).Truncate(2))
		c.holds("f", "ab")
	}},
	{"truncate/grow-reads-zeros", needs(Truncate), func(c *C) {
		c.write("f", "ab")
		require.NoError(c, c.open("f", os.O_WRONLY).Truncate(5))
		c.holds("f", "ab\x00\x00\x00")
	}},
	{"truncate/shrink-and-grow-reads-zeros", needs(Truncate), func(c *C) {
		c.write("f", "abcdef")
		f := c.open("f", os.O_WRONLY)
		require.NoError(c, f.Truncate(2))
		require.NoError(c, f.Truncate(4))
		c.holds("f", "ab\x00\x00")
	}},
	{"truncate/to-zero", needs(Truncate), func(c *C) {
		c.write("f", "abc")
		require.NoError(c, c.open("f", os.O_RDWR).Truncate(0))
		c.holds("f", "")
	}},
	{"truncate/to-the-same-size", needs(Truncate), func(c *C) {
		c.write("f", "abc")
		require.NoError(c, c.open("f", os.O_RDWR).Truncate(3))
		c.holds("f", "abc")
	}},
	{"truncate/negative", nil, func(c *C) {
		c.write("f", "abc")
		c.invalid(c.open("f", os.O_RDWR).Truncate(-1))
		c.holds("f", "abc")
	}},
	{"truncate/leaves-the-offset", needs(Truncate), func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		c.put(f, "abcdef")
		require.NoError(c, f.Truncate(2))
		pos, err := f.Seek(0, io.SeekCurrent)
		require.NoError(c, err)
		require.EqualValues(c, 6, pos)
		c.put(f, "X")
		c.holds("f", "ab\x00\x00\x00\x00X")
	}},
	{"truncate/read-only-handle", nil, func(c *C) {
		c.write("f", "abc")
		c.unspecific(c.open("f", os.O_RDONLY).Truncate(0))
		c.holds("f", "abc")
	}},
	{"truncate/directory", nil, func(c *C) {
		c.mkdir("d")
		c.unspecific(c.open("d", os.O_RDONLY).Truncate(0))
		c.isDir("d")
	}},
	{"truncate/reader-in-the-middle-sees-eof", needs(LiveHandles, Truncate), func(c *C) {
		c.write("f", "abcdef")
		r := c.open("f", os.O_RDONLY)
		_, err := io.ReadFull(r, make([]byte, 4))
		require.NoError(c, err)
		require.NoError(c, c.open("f", os.O_WRONLY).Truncate(2))
		n, err := r.Read(make([]byte, 4))
		require.Equal(c, io.EOF, err)
		require.Zero(c, n)
	}},
	{"truncate/large-and-sparse", needs(Truncate), func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		require.NoError(c, f.Truncate(3<<20))
		require.EqualValues(c, 3<<20, c.stat("f").Size())
		buf := make([]byte, 4)
		_, err := f.ReadAt(buf, 2<<20)
		require.NoError(c, err)
		require.Equal(c, make([]byte, 4), buf)
	}},
}

var handleCases = []Case{
	{"handles/a-write-is-seen-at-once", nil, func(c *C) {
		w := c.open("f", os.O_WRONLY|os.O_CREATE)
		r := c.open("f", os.O_RDONLY)
		c.put(w, "abc")
		require.Equal(c, "abc", c.rest(r))
		c.put(w, "def")
		require.Equal(c, "def", c.rest(r))
	}},
	{"handles/an-overwrite-is-seen-at-once", needs(LiveHandles), func(c *C) {
		c.write("f", "abcdef")
		r := c.open("f", os.O_RDONLY)
		buf := make([]byte, 1)
		_, err := io.ReadFull(r, buf)
		require.NoError(c, err)
		_, err = c.open("f", os.O_WRONLY).WriteAt([]byte("XYZ"), 1)
		require.NoError(c, err)
		buf = make([]byte, 5)
		_, err = r.ReadAt(buf, 1)
		require.NoError(c, err)
		require.Equal(c, "XYZef", string(buf))
	}},
	{"handles/stat-sees-what-others-write", nil, func(c *C) {
		w, r := c.open("f", os.O_WRONLY|os.O_CREATE), c.open("f", os.O_RDONLY)
		c.put(w, "abc")
		for _, f := range []afero.File{w, r} {
			fi, err := f.Stat()
			require.NoError(c, err)
			require.EqualValues(c, 3, fi.Size())
		}
	}},
	{"handles/open-with-trunc-empties-for-others", needs(LiveHandles), func(c *C) {
		c.write("f", "abcdef")
		r := c.open("f", os.O_RDONLY)
		c.open("f", os.O_WRONLY|os.O_TRUNC)
		_, err := r.Read(make([]byte, 1))
		require.Equal(c, io.EOF, err)
	}},
	{"handles/two-writers-of-different-parts", nil, func(c *C) {
		f, g := c.open("f", os.O_RDWR|os.O_CREATE), c.open("f", os.O_RDWR)
		_, err := g.WriteAt([]byte("def"), 3)
		require.NoError(c, err)
		c.put(f, "abc")
		c.close(f)
		c.close(g)
		c.holds("f", "abcdef")
	}},
	{"handles/last-write-wins-whatever-the-order-of-close", nil, func(c *C) {
		f, g := c.open("f", os.O_WRONLY|os.O_CREATE), c.open("f", os.O_WRONLY)
		c.put(f, "first")
		c.put(g, "later")
		c.close(g)
		c.close(f)
		c.holds("f", "later")
	}},
	{"handles/one-closed-one-open", nil, func(c *C) {
		f, g := c.open("f", os.O_RDWR|os.O_CREATE), c.open("f", os.O_RDWR)
		c.close(f)
		c.put(g, "abc")
		c.holds("f", "abc")
	}},
	{"handles/name-as-opened", nil, func(c *C) {
		c.mkdir("d")
		c.write("d/f", "")
		for _, name := range []string{"d/f", "/d/f", "d/../d/f"} {
			require.Equal(c, name, c.open(name, os.O_RDONLY).Name())
		}
	}},
	{"handles/name-after-close", nil, func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		c.close(f)
		require.Equal(c, "f", f.Name())
	}},
	{"handles/stat-of-a-directory", nil, func(c *C) {
		c.mkdir("d")
		fi, err := c.open("d", os.O_RDONLY).Stat()
		require.NoError(c, err)
		require.True(c, fi.IsDir())
		require.Equal(c, "d", fi.Name())
	}},
	{"handles/file-is-no-directory", nil, func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_RDONLY)
		_, err := f.Readdir(-1)
		require.Error(c, err)
		_, err = f.Readdirnames(1)
		require.Error(c, err)
		require.NotErrorIs(c, err, io.EOF)
		require.Equal(c, "abc", c.rest(f))
	}},
	{"handles/directory-is-not-writable", nil, func(c *C) {
		c.mkdir("d")
		f := c.open("d", os.O_RDONLY)
		_, err := f.Write([]byte("x"))
		c.unspecific(err)
		_, err = f.WriteAt([]byte("x"), 0)
		c.unspecific(err)
	}},
	{"handles/many-open", nil, func(c *C) {
		c.write("f", "abc")
		for range 50 {
			c.open("f", os.O_RDONLY)
		}
		require.Equal(c, "abc", c.read("f"))
	}},
	{"handles/errors-name-the-file", nil, func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_RDONLY)
		_, err := f.Write([]byte("x"))
		c.pathErr(err, "write", "f", nil)
		c.pathErr(f.Truncate(0), "truncate", "f", nil)
		c.close(f)
		c.pathErr(f.Close(), "close", "f", fs.ErrClosed)
	}},
}

// closedCases call every method of a closed handle, for a file and for a directory.
func closedCases() []Case {
	var cases []Case
	for _, m := range []struct {
		name string
		call func(f afero.File) error
	}{
		{"read", func(f afero.File) error { _, err := f.Read(make([]byte, 1)); return err }},
		{"readat", func(f afero.File) error { _, err := f.ReadAt(make([]byte, 1), 0); return err }},
		{"write", func(f afero.File) error { _, err := f.Write([]byte("x")); return err }},
		{"writeat", func(f afero.File) error { _, err := f.WriteAt([]byte("x"), 0); return err }},
		{"writestring", func(f afero.File) error { _, err := f.WriteString("x"); return err }},
		{"seek", func(f afero.File) error { _, err := f.Seek(0, io.SeekStart); return err }},
		{"truncate", func(f afero.File) error { return f.Truncate(0) }},
		{"sync", func(f afero.File) error { return f.Sync() }},
		{"stat", func(f afero.File) error { _, err := f.Stat(); return err }},
		{"readdir", func(f afero.File) error { _, err := f.Readdir(-1); return err }},
		{"readdirnames", func(f afero.File) error { _, err := f.Readdirnames(-1); return err }},
		{"close", func(f afero.File) error { return f.Close() }},
	} {
		cases = append(cases,
			Case{"closed/file/" + m.name, nil, func(c *C) {
				c.write("f", before)
				f := c.open("f", os.O_RDWR)
				c.close(f)
				c.closedErr(m.name, m.call(f))
				c.holds("f", before)
			}},
			Case{"closed/directory/" + m.name, nil, func(c *C) {
				c.mkdir("d")
				f := c.open("d", os.O_RDONLY)
				c.close(f)
				c.closedErr(m.name, m.call(f))
				c.isDir("d")
			}})
	}
	return cases
}

// closedErr checks for fs.ErrClosed. Reading a directory is an exception, because package os has an error of its own
// there.
func (c *C) closedErr(method string, err error) {
	if method == "readdir" || method == "readdirnames" {
		require.Error(c, err)
		return
	}
	require.ErrorIs(c, err, fs.ErrClosed)
}
