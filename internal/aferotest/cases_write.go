package aferotest

import (
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/stretchr/testify/require"
)

var writeCases = []Case{
	{"write/advances-the-offset", nil, func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		c.put(f, "abc")
		c.put(f, "def")
		pos, err := f.Seek(0, io.SeekCurrent)
		require.NoError(c, err)
		require.EqualValues(c, 6, pos)
		c.holds("f", "abcdef")
	}},
	{"write/overwrites-in-the-middle", nil, func(c *C) {
		c.write("f", "abcdef")
		f := c.open("f", os.O_RDWR)
		_, err := f.Seek(2, io.SeekStart)
		require.NoError(c, err)
		c.put(f, "XY")
		require.Equal(c, "ef", c.rest(f))
		c.holds("f", "abXYef")
	}},
	{"write/across-the-end", nil, func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_WRONLY)
		_, err := f.Seek(2, io.SeekStart)
		require.NoError(c, err)
		c.put(f, "XYZ")
		c.holds("f", "abXYZ")
	}},
	{"write/sparse", nil, func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		_, err := f.Seek(5, io.SeekStart)
		require.NoError(c, err)
		c.put(f, "abc")
		c.holds("f", "\x00\x00\x00\x00\x00abc")
	}},
	{"write/sparse-after-truncate-reads-zeros", needs(Truncate), func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		c.put(f, "secret!")
		require.NoError(c, f.Truncate(2))
		_, err := f.WriteAt([]byte("x"), 6)
		require.NoError(c, err)
		c.holds("f", "se\x00\x00\x00\x00x")
	}},
	{"write/zero-bytes", nil, func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_WRONLY)
		n, err := f.Write(nil)
		require.NoError(c, err)
		require.Zero(c, n)
		c.holds("f", "abc")
	}},
	{"write/zero-bytes-past-the-end", nil, func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_WRONLY)
		_, err := f.Seek(10, io.SeekStart)
		require.NoError(c, err)
		n, err := f.Write(nil)
		require.NoError(c, err)
		require.Zero(c, n)
		c.holds("f", "abc")
	}},
	{"write/keeps-nothing-of-the-buffer", nil, func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		buf := []byte("abc")
		_, err := f.Write(buf)
		require.NoError(c, err)
		copy(buf, "XXX")
		c.holds("f", "abc")
	}},
	{"write/string", nil, func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		n, err := f.WriteString("grüße")
		require.NoError(c, err)
		require.Equal(c, len("grüße"), n)
		c.holds("f", "grüße")
	}},
	{"write/string-read-only-handle", nil, func(c *C) {
		c.write("f", "abc")
		_, err := c.open("f", os.O_RDONLY).WriteString("x")
		c.unspecific(err)
		c.holds("f", "abc")
	}},
	{"writeat/middle", nil, func(c *C) {
		c.write("f", "abcdef")
		n, err := c.open("f", os.O_WRONLY).WriteAt([]byte("XY"), 2)
		require.NoError(c, err)
		require.Equal(c, 2, n)
		c.holds("f", "abXYef")
	}},
	{"writeat/sparse", nil, func(c *C) {
		c.write("f", "abc")
		_, err := c.open("f", os.O_WRONLY).WriteAt([]byte("X"), 5)
		require.NoError(c, err)
		c.holds("f", "abc\x00\x00X")
	}},
	{"writeat/leaves-the-offset", nil, func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		c.put(f, "abc")
		_, err := f.WriteAt([]byte("XYZ"), 7)
		require.NoError(c, err)
		c.put(f, "d")
		c.holds("f", "abcd\x00\x00\x00XYZ")
	}},
	{"writeat/negative", nil, func(c *C) {
		c.write("f", "abc")
		_, err := c.open("f", os.O_WRONLY).WriteAt([]byte("X"), -1)
		c.unspecific(err)
		c.holds("f", "abc")
	}},
	{"writeat/read-only-handle", nil, func(c *C) {
		c.write("f", "abc")
		n, err := c.open("f", os.O_RDONLY).WriteAt([]byte("X"), 0)
		c.unspecific(err)
		require.Zero(c, n)
		c.holds("f", "abc")
	}},
	{"writeat/append-handle-refuses", nil, func(c *C) {
		c.write("f", "abc")
		_, err := c.open("f", os.O_WRONLY|os.O_APPEND).WriteAt([]byte("X"), 0)
		c.unspecific(err)
		c.holds("f", "abc")
	}},
	{"writeat/zero-bytes", nil, func(c *C) {
		c.write("f", "abc")
		n, err := c.open("f", os.O_WRONLY).WriteAt(nil, 9)
		require.NoError(c, err)
		require.Zero(c, n)
		c.holds("f", "abc")
	}},
	{"write/sync", []Capability{Sync}, func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		c.put(f, "abc")
		require.NoError(c, f.Sync())
		c.holds("f", "abc")
		c.put(f, "def")
		require.NoError(c, f.Sync())
		c.close(f)
		c.holds("f", "abcdef")
	}},
	{"write/sync-of-a-read-only-handle", []Capability{Sync}, func(c *C) {
		c.write("f", "abc")
		require.NoError(c, c.open("f", os.O_RDONLY).Sync())
	}},
	{"write/large", nil, func(c *C) {
		content := pattern(5<<20 + 17)
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		n, err := f.Write(content)
		require.NoError(c, err)
		require.Equal(c, len(content), n)
		require.EqualValues(c, len(content), c.stat("f").Size())
		require.True(c, bytes.Equal(content, []byte(c.all(f))), "content differs")
		c.close(f)
		require.True(c, bytes.Equal(content, []byte(c.read("f"))), "content differs")
	}},
	{"write/large-in-odd-parts", nil, func(c *C) {
		content := pattern(1<<20 + 5)
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		for rest := content; len(rest) > 0; {
			n := min(len(rest), 8191)
			_, err := f.Write(rest[:n])
			require.NoError(c, err)
			rest = rest[n:]
		}
		c.close(f)
		require.True(c, bytes.Equal(content, []byte(c.read("f"))), "content differs")
	}},
	{"write/large-backwards", nil, func(c *C) {
		content := pattern(1 << 20)
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		const part = 1 << 16
		for off := len(content) - part; off >= 0; off -= part {
			_, err := f.WriteAt(content[off:off+part], int64(off))
			require.NoError(c, err)
		}
		c.close(f)
		require.True(c, bytes.Equal(content, []byte(c.read("f"))), "content differs")
	}},
	{"copy/into-a-file", nil, func(c *C) {
		content := pattern(3<<20 + 1)
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		n, err := io.Copy(f, bytes.NewReader(content))
		require.NoError(c, err)
		require.EqualValues(c, len(content), n)
		c.close(f)
		require.True(c, bytes.Equal(content, []byte(c.read("f"))), "content differs")
	}},
	{"copy/out-of-a-file", nil, func(c *C) {
		content := pattern(3<<20 + 1)
		c.write("f", string(content))
		var buf bytes.Buffer
		n, err := io.Copy(&buf, c.open("f", os.O_RDONLY))
		require.NoError(c, err)
		require.EqualValues(c, len(content), n)
		require.True(c, bytes.Equal(content, buf.Bytes()), "content differs")
	}},
	{"copy/file-to-file", nil, func(c *C) {
		content := pattern(1<<20 + 1)
		c.write("f", string(content))
		g := c.open("g", os.O_WRONLY|os.O_CREATE)
		n, err := io.Copy(g, c.open("f", os.O_RDONLY))
		require.NoError(c, err)
		require.EqualValues(c, len(content), n)
		c.close(g)
		require.True(c, bytes.Equal(content, []byte(c.read("g"))), "content differs")
	}},
	{"copy/from-the-offset-to-the-offset", nil, func(c *C) {
		c.write("f", "0123456789")
		f, g := c.open("f", os.O_RDONLY), c.open("g", os.O_RDWR|os.O_CREATE)
		_, err := f.Seek(7, io.SeekStart)
		require.NoError(c, err)
		c.put(g, "ab")
		n, err := io.Copy(g, f)
		require.NoError(c, err)
		require.EqualValues(c, 3, n)
		c.put(g, "c")
		c.holds("g", "ab789c")
		_, err = f.Read(make([]byte, 1))
		require.Equal(c, io.EOF, err, "the offset is at the end")
	}},
	{"copy/limited", nil, func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		n, err := io.CopyN(f, strings.NewReader("0123456789"), 4)
		require.NoError(c, err)
		require.EqualValues(c, 4, n)
		c.holds("f", "0123")
	}},
	{"copy/reader-fails", nil, func(c *C) {
		f := c.open("f", os.O_WRONLY|os.O_CREATE)
		failing := io.MultiReader(strings.NewReader("0123"), failingReader{})
		n, err := io.Copy(f, failing)
		require.ErrorIs(c, err, errReader)
		require.EqualValues(c, 4, n)
		c.close(f)
		c.holds("f", "0123")
	}},
}
