package aferotest

import (
	"fmt"
	"io"
	"os"

	"github.com/stretchr/testify/require"
)

// seekCases seek in a file of ten bytes, from offset 4.
func seekCases() []Case {
	var cases []Case
	for _, s := range []struct {
		whence int
		name   string
		off    int64
		want   int64 // -1: refused
	}{
		{io.SeekStart, "start", 0, 0},
		{io.SeekStart, "start", 3, 3},
		{io.SeekStart, "start", 10, 10},
		{io.SeekStart, "start", 100, 100},
		{io.SeekStart, "start", -1, -1},
		{io.SeekCurrent, "current", 0, 4},
		{io.SeekCurrent, "current", 3, 7},
		{io.SeekCurrent, "current", -4, 0},
		{io.SeekCurrent, "current", 100, 104},
		{io.SeekCurrent, "current", -5, -1},
		{io.SeekEnd, "end", 0, 10},
		{io.SeekEnd, "end", -3, 7},
		{io.SeekEnd, "end", -10, 0},
		{io.SeekEnd, "end", 5, 15},
		{io.SeekEnd, "end", -11, -1},
		{42, "no-such-whence", 0, -1},
	} {
		cases = append(cases, Case{fmt.Sprintf("seek/%s%+d", s.name, s.off), nil, func(c *C) {
			const content = "0123456789"
			c.write("f", content)
			f := c.open("f", os.O_RDWR)
			_, err := f.Seek(4, io.SeekStart)
			require.NoError(c, err)
			got, err := f.Seek(s.off, s.whence)
			at := s.want
			if s.want < 0 {
				c.unspecific(err)
				at = 4 // a refused seek does not move the offset
			} else {
				require.NoError(c, err)
				require.Equal(c, s.want, got)
			}
			want := content[min(at, 10):]
			require.Equal(c, want, c.rest(f))
			c.holds("f", content)
		}})
	}
	return append(cases,
		Case{"seek/end-sees-growth", needs(LiveHandles), func(c *C) {
			c.write("f", "abc")
			f := c.open("f", os.O_RDONLY)
			w := c.open("f", os.O_WRONLY|os.O_APPEND)
			c.put(w, "def")
			c.close(w)
			pos, err := f.Seek(0, io.SeekEnd)
			require.NoError(c, err)
			require.EqualValues(c, 6, pos)
		}},
		Case{"seek/past-the-end-does-not-grow", nil, func(c *C) {
			c.write("f", "abc")
			f := c.open("f", os.O_RDWR)
			_, err := f.Seek(100, io.SeekStart)
			require.NoError(c, err)
			_, err = f.Read(make([]byte, 1))
			require.Equal(c, io.EOF, err)
			c.close(f)
			c.holds("f", "abc")
		}},
		Case{"seek/back-and-read-again", nil, func(c *C) {
			c.write("f", "abc")
			f := c.open("f", os.O_RDONLY)
			require.Equal(c, "abc", c.rest(f))
			require.Equal(c, "abc", c.all(f))
		}},
		Case{"seek/write-only-handle", nil, func(c *C) {
			c.write("f", "abc")
			f := c.open("f", os.O_WRONLY)
			pos, err := f.Seek(-1, io.SeekEnd)
			require.NoError(c, err)
			require.EqualValues(c, 2, pos)
			c.put(f, "X")
			c.holds("f", "abX")
		}},
	)
}

func appendCases() []Case {
	return []Case{
		{"append/ignores-the-offset", nil, func(c *C) {
			c.write("f", "abc")
			f := c.open("f", os.O_RDWR|os.O_APPEND)
			_, err := f.Seek(0, io.SeekStart)
			require.NoError(c, err)
			c.put(f, "def")
			c.holds("f", "abcdef")
		}},
		{"append/offset-after-write-is-the-end", nil, func(c *C) {
			c.write("f", "abc")
			f := c.open("f", os.O_RDWR|os.O_APPEND)
			c.put(f, "def")
			pos, err := f.Seek(0, io.SeekCurrent)
			require.NoError(c, err)
			require.EqualValues(c, 6, pos)
		}},
		{"append/reads-from-the-start", nil, func(c *C) {
			c.write("f", "abc")
			f := c.open("f", os.O_RDWR|os.O_APPEND)
			require.Equal(c, "abc", c.rest(f))
		}},
		{"append/sees-other-writers", needs(AtomicAppend), func(c *C) {
			f := c.open("f", os.O_WRONLY|os.O_CREATE|os.O_APPEND)
			g := c.open("f", os.O_WRONLY|os.O_APPEND)
			c.put(f, "1")
			c.put(g, "22")
			c.put(f, "333")
			c.put(g, "4444")
			c.holds("f", "1223334444")
		}},
		{"append/after-truncate-by-another", needs(AtomicAppend, Truncate), func(c *C) {
			f := c.open("f", os.O_WRONLY|os.O_CREATE|os.O_APPEND)
			c.put(f, "abcdef")
			g := c.open("f", os.O_WRONLY)
			require.NoError(c, g.Truncate(2))
			c.put(f, "X")
			c.holds("f", "abX")
		}},
		{"append/after-own-truncate", needs(Truncate), func(c *C) {
			f := c.open("f", os.O_WRONLY|os.O_CREATE|os.O_APPEND)
			c.put(f, "abcdef")
			require.NoError(c, f.Truncate(0))
			c.put(f, "X")
			c.holds("f", "X")
		}},
		{"append/two-sessions", nil, func(c *C) {
			for _, part := range []string{"one ", "two ", "three"} {
				f := c.open("f", os.O_WRONLY|os.O_CREATE|os.O_APPEND)
				c.put(f, part)
				c.close(f)
			}
			c.holds("f", "one two three")
		}},
		{"append/with-trunc", nil, func(c *C) {
			c.write("f", before)
			f := c.open("f", os.O_WRONLY|os.O_TRUNC|os.O_APPEND)
			c.put(f, "a")
			c.put(f, "b")
			c.holds("f", "ab")
		}},
	}
}
