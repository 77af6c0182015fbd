package sftpfs

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// lists has a server answer the n-th request for a part of a listing, from 0, with these names, and end it at nil.
func lists(names func(n int) []string) func(*hostile, wiretest.Request) []byte {
	n := 0
	return func(_ *hostile, r wiretest.Request) []byte {
		switch r.Kind {
		case wiretest.OpenDir:
			n = 0
		case wiretest.ReadDir:
			page := names(n)
			if n++; page == nil {
				return wiretest.StatusPacket(r.ID, wiretest.EOF)
			}
			return wiretest.NamesPacket(r.ID, page...)
		}
		return nil
	}
}

// A listing without an end ends with an error that says which directory it is of. So do names without one.
func TestEndlessListing(t *testing.T) {
	t.Parallel()
	const most = 200_000
	page := func(n int) []string { return []string{fmt.Sprint("a", n), fmt.Sprint("b", n)} }
	for name, c := range map[string]struct {
		names func(n int) []string
		says  string
	}{
		"entries":                  {page, "lists more than 200000 bytes"},
		"nothing":                  {func(int) []string { return []string{} }, "no new entry in 257 answers"},
		"only itself":              {func(int) []string { return []string{"."} }, "no new entry in 257 answers"},
		"itself and what is above": {func(int) []string { return []string{".", ".."} }, "no new entry in 257 answers"},
		"the same":                 {func(int) []string { return []string{"x", "y"} }, "no new entry in 257 answers"},
		"an entry now and then": {func(n int) []string {
			if n%256 != 0 {
				return []string{}
			}
			return page(n)
		}, "lists more than 200000 bytes"},
		"long names":     {func(n int) []string { return []string{fmt.Sprintf("%0*d", 4096, n)} }, "lists more than 200000 bytes"},
		"too long names": {func(n int) []string { return []string{fmt.Sprintf("%0*d", 200_000, n)} }, "has 200000 bytes, 4096"},
	} {
		for _, inOrder := range []bool{false, true} {
			sent := 0
			fsys := (&hostile{inOrder: inOrder, answer: lists(func(n int) []string {
				sent++
				return c.names(n)
			})}).start(t, most)
			_, err := afero.ReadDir(fsys, "d")
			require.ErrorContains(t, err, "readdir d: the server ", name)
			require.ErrorContains(t, err, c.says, name)
			require.ErrorIs(t, err, fs.ErrInvalid, name)
			require.Less(t, len(err.Error()), 200, name)
			require.Less(t, sent, 2000, name)
			_, err = fsys.Stat("f")
			require.NoError(t, err, "the connection is good")
		}
	}
}

// What a directory may well be passes: answers without an entry, "." in each, and long names.
func TestUnusualListings(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 4096)
	for name, names := range map[string]func(n int) []string{
		"late": func(n int) []string {
			switch {
			case n < 256:
				return []string{}
			case n == 256:
				return []string{"f"}
			}
			return nil
		},
		"far between": func(n int) []string {
			switch {
			case n == 3*256:
				return nil
			case n%200 == 0:
				return []string{".", fmt.Sprint(n)}
			}
			return []string{"."}
		},
		"long": func(n int) []string {
			if n == 10 {
				return nil
			}
			return []string{fmt.Sprint(n) + long[1:]}
		},
	} {
		for _, inOrder := range []bool{false, true} {
			fsys := (&hostile{inOrder: inOrder, answer: lists(names)}).start(t, 0)
			for range 2 { // each listing has its own bounds
				entries, err := afero.ReadDir(fsys, "d")
				require.NoError(t, err, name)
				var want []string
				for n := 0; names(n) != nil; n++ {
					want = append(want, slices.DeleteFunc(names(n), func(s string) bool { return s == "." })...)
				}
				require.Len(t, entries, len(want), name)
			}
		}
	}
}
