package aferotest

import (
	"io"
	"os"
	"slices"

	"github.com/stretchr/testify/require"
)

// listCases page through a directory of 25 entries.
func listCases() []Case {
	const total = 25
	fill := func(c *C) []string {
		c.mkdir("d")
		names := make([]string, total)
		for i := range names {
			names[i] = string(rune('a' + i))
			if i%5 == 0 {
				c.mkdir("d/" + names[i])
			} else {
				c.write("d/"+names[i], names[i])
			}
		}
		return names
	}
	cases := []Case{
		{"list/empty", nil, func(c *C) {
			c.mkdir("d")
			for _, n := range []int{-1, 0} {
				f := c.open("d", os.O_RDONLY)
				infos, err := f.Readdir(n)
				require.NoError(c, err)
				require.Empty(c, infos)
			}
		}},
		{"list/empty-paged-is-eof", nil, func(c *C) {
			c.mkdir("d")
			infos, err := c.open("d", os.O_RDONLY).Readdir(1)
			require.Equal(c, io.EOF, err)
			require.Empty(c, infos)
			names, err := c.open("d", os.O_RDONLY).Readdirnames(1)
			require.Equal(c, io.EOF, err)
			require.Empty(c, names)
		}},
		{"list/infos-are-those-of-stat", nil, func(c *C) {
			c.mkdir("d")
			c.mkdir("d/sub")
			c.write("d/f", "abc")
			infos, err := c.open("d", os.O_RDONLY).Readdir(-1)
			require.NoError(c, err)
			require.Len(c, infos, 2)
			for _, fi := range infos {
				want := c.stat("d/" + fi.Name())
				require.Equal(c, want.Name(), fi.Name())
				require.Equal(c, want.Mode(), fi.Mode())
				require.Equal(c, want.IsDir(), fi.IsDir())
				require.True(c, want.ModTime().Equal(fi.ModTime()))
				if !fi.IsDir() {
					require.Equal(c, want.Size(), fi.Size())
				}
			}
		}},
		{"list/page-then-rest", nil, func(c *C) {
			want := fill(c)
			f := c.open("d", os.O_RDONLY)
			first, err := f.Readdirnames(7)
			require.NoError(c, err)
			require.Len(c, first, 7)
			rest, err := f.Readdirnames(-1)
			require.NoError(c, err)
			got := append(first, rest...)
			slices.Sort(got)
			require.Equal(c, want, got)
		}},
		{"list/infos-then-names", nil, func(c *C) {
			want := fill(c)
			f := c.open("d", os.O_RDONLY)
			infos, err := f.Readdir(10)
			require.NoError(c, err)
			got, err := f.Readdirnames(-1)
			require.NoError(c, err)
			for _, fi := range infos {
				got = append(got, fi.Name())
			}
			slices.Sort(got)
			require.Equal(c, want, got, "both move one position")
		}},
		{"list/all-twice", nil, func(c *C) {
			fill(c)
			f := c.open("d", os.O_RDONLY)
			infos, err := f.Readdir(-1)
			require.NoError(c, err)
			require.Len(c, infos, total)
			infos, err = f.Readdir(-1)
			require.NoError(c, err)
			require.Empty(c, infos)
			_, err = f.Readdir(1)
			require.Equal(c, io.EOF, err)
		}},
		{"list/zero-is-all", nil, func(c *C) {
			fill(c)
			infos, err := c.open("d", os.O_RDONLY).Readdir(0)
			require.NoError(c, err)
			require.Len(c, infos, total)
		}},
		{"list/two-handles", nil, func(c *C) {
			fill(c)
			f, g := c.open("d", os.O_RDONLY), c.open("d", os.O_RDONLY)
			_, err := f.Readdirnames(20)
			require.NoError(c, err)
			names, err := g.Readdirnames(-1)
			require.NoError(c, err)
			require.Len(c, names, total)
		}},
	}
	for _, page := range []struct {
		name string
		n    int
	}{{"1", 1}, {"2", 2}, {"10", 10}, {"all-but-one", total - 1}, {"exactly-all", total}, {"more-than-all", total + 1}} {
		cases = append(cases,
			Case{"list/readdir-by-" + page.name, nil, func(c *C) {
				want := fill(c)
				f := c.open("d", os.O_RDONLY)
				c.pages(want, page.n, func() (names []string, err error) {
					infos, err := f.Readdir(page.n)
					for _, fi := range infos {
						names = append(names, fi.Name())
					}
					return names, err
				})
			}},
			Case{"list/readdirnames-by-" + page.name, nil, func(c *C) {
				want := fill(c)
				f := c.open("d", os.O_RDONLY)
				c.pages(want, page.n, func() ([]string, error) { return f.Readdirnames(page.n) })
			}})
	}
	return cases
}

// pages reads pages of n names until io.EOF, which must be unwrapped and come without names.
func (c *C) pages(want []string, n int, next func() ([]string, error)) {
	var got []string
	for range len(want) + 2 {
		names, err := next()
		if err != nil {
			require.Equal(c, io.EOF, err)
			require.Empty(c, names, "names beside io.EOF")
			slices.Sort(got)
			require.Equal(c, want, got)
			_, err = next()
			require.Equal(c, io.EOF, err, "again at the end")
			return
		}
		require.NotEmpty(c, names, "neither names nor an error")
		require.LessOrEqual(c, len(names), n)
		got = append(got, names...)
	}
	require.Fail(c, "the listing does not end")
}
