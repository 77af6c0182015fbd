package aferotest

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

var readCases = []Case{
	{"read/empty-file", nil, func(c *C) {
		c.write("f", "")
		n, err := c.open("f", os.O_RDONLY).Read(make([]byte, 4))
		require.Equal(c, io.EOF, err)
		require.Zero(c, n)
	}},
	{"read/in-parts", nil, func(c *C) {
		c.write("f", "abcdef")
		f := c.open("f", os.O_RDONLY)
		buf := make([]byte, 4)
		n, err := io.ReadFull(f, buf)
		require.NoError(c, err)
		require.Equal(c, "abcd", string(buf[:n]))
		n, err = io.ReadFull(f, buf)
		require.Equal(c, io.ErrUnexpectedEOF, err)
		require.Equal(c, "ef", string(buf[:n]))
	}},
	{"read/eof-repeats", nil, func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_RDONLY)
		require.Equal(c, "abc", c.rest(f))
		for range 3 {
			n, err := f.Read(make([]byte, 1))
			require.Equal(c, io.EOF, err, "bare, not wrapped")
			require.Zero(c, n)
		}
	}},
	{"read/zero-bytes", nil, func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_RDONLY)
		n, err := f.Read(nil)
		require.NoError(c, err)
		require.Zero(c, n)
		require.Equal(c, "abc", c.rest(f))
	}},
	{"read/sees-growth-after-eof", needs(LiveHandles), func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_RDONLY)
		require.Equal(c, "abc", c.rest(f))
		w := c.open("f", os.O_WRONLY|os.O_APPEND)
		c.put(w, "def")
		c.close(w)
		require.Equal(c, "def", c.rest(f))
	}},
	{"read/offsets-are-per-handle", nil, func(c *C) {
		c.write("f", "abcdef")
		f, g := c.open("f", os.O_RDONLY), c.open("f", os.O_RDONLY)
		buf := make([]byte, 3)
		_, err := io.ReadFull(f, buf)
		require.NoError(c, err)
		require.Equal(c, "abcdef", c.rest(g))
		require.Equal(c, "def", c.rest(f))
	}},
	{"read/iotest", nil, func(c *C) {
		content := strings.Repeat("0123456789", 100)
		c.write("f", content)
		require.NoError(c, iotest.TestReader(c.open("f", os.O_RDONLY), []byte(content)))
	}},
	{"readat/middle", nil, func(c *C) {
		c.write("f", "abcdef")
		buf := make([]byte, 3)
		n, err := c.open("f", os.O_RDONLY).ReadAt(buf, 2)
		require.NoError(c, err)
		require.Equal(c, "cde", string(buf[:n]))
	}},
	{"readat/to-the-end-exactly", nil, func(c *C) {
		c.write("f", "abcdef")
		buf := make([]byte, 3)
		n, err := c.open("f", os.O_RDONLY).ReadAt(buf, 3)
		if err != nil {
			require.Equal(c, io.EOF, err)
		}
		require.Equal(c, "def", string(buf[:n]))
	}},
	{"readat/short-is-eof", nil, func(c *C) {
		c.write("f", "abcdef")
		buf := make([]byte, 10)
		n, err := c.open("f", os.O_RDONLY).ReadAt(buf, 2)
		require.Equal(c, io.EOF, err)
		require.Equal(c, "cdef", string(buf[:n]))
	}},
	{"readat/past-the-end", nil, func(c *C) {
		c.write("f", "abc")
		n, err := c.open("f", os.O_RDONLY).ReadAt(make([]byte, 2), 100)
		require.Equal(c, io.EOF, err)
		require.Zero(c, n)
	}},
	{"readat/zero-bytes", nil, func(c *C) {
		c.write("f", "abc")
		n, err := c.open("f", os.O_RDONLY).ReadAt(nil, 1)
		require.NoError(c, err)
		require.Zero(c, n)
	}},
	{"readat/negative", nil, func(c *C) {
		c.write("f", "abc")
		n, err := c.open("f", os.O_RDONLY).ReadAt(make([]byte, 2), -1)
		c.unspecific(err)
		require.NotErrorIs(c, err, io.EOF)
		require.Zero(c, n)
	}},
	{"readat/leaves-the-offset", nil, func(c *C) {
		c.write("f", "abcdef")
		f := c.open("f", os.O_RDONLY)
		buf := make([]byte, 2)
		_, err := io.ReadFull(f, buf)
		require.NoError(c, err)
		_, err = f.ReadAt(buf, 4)
		require.NoError(c, err)
		require.Equal(c, "cdef", c.rest(f))
	}},
	{"readat/write-only-handle", nil, func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_WRONLY)
		n, err := f.ReadAt(make([]byte, 2), 0)
		c.unspecific(err)
		require.Zero(c, n)
		c.close(f)
		c.holds("f", "abc")
	}},
	{"readat/write-only-append-handle", nil, func(c *C) {
		c.write("f", "abc")
		f := c.open("f", os.O_WRONLY|os.O_APPEND)
		n, err := f.ReadAt(make([]byte, 2), 0)
		c.unspecific(err)
		require.Zero(c, n)
		c.close(f)
		c.holds("f", "abc")
	}},
	{"readat/section-reader", nil, func(c *C) {
		c.write("f", "0123456789")
		b, err := io.ReadAll(io.NewSectionReader(c.open("f", os.O_RDONLY), 3, 4))
		require.NoError(c, err)
		require.Equal(c, "3456", string(b))
	}},
	{"read/directory", nil, func(c *C) {
		c.mkdir("d")
		n, err := c.open("d", os.O_RDONLY).Read(make([]byte, 4))
		c.unspecific(err)
		require.NotErrorIs(c, err, io.EOF)
		require.LessOrEqual(c, n, 0)
	}},
	{"readat/directory", nil, func(c *C) {
		c.mkdir("d")
		n, err := c.open("d", os.O_RDONLY).ReadAt(make([]byte, 4), 0)
		c.unspecific(err)
		require.NotErrorIs(c, err, io.EOF)
		require.LessOrEqual(c, n, 0)
	}},
	{"read/binary", nil, func(c *C) {
		content := make([]byte, 256)
		for i := range content {
			content[i] = byte(i)
		}
		c.write("f", string(content))
		require.True(c, bytes.Equal(content, []byte(c.read("f"))))
	}},
}
