package aferotest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"
)

// concurrencyNameCases run operations on names concurrently.
var concurrencyNameCases = []Case{
	{"parallel/creates-of-different-names", nil, func(c *C) {
		c.parallel(func(i int) error {
			return put(c, fmt.Sprintf("f%d", i), strings.Repeat("x", i))
		})
		for i := range workers {
			c.holds(fmt.Sprintf("f%d", i), strings.Repeat("x", i))
		}
	}},
	{"parallel/exclusive-create-has-one-winner", needs(ExclusiveCreate), func(c *C) {
		var mu sync.Mutex
		var winners []int
		c.parallel(func(i int) error {
			f, err := c.Fs.OpenFile("f", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			winners = append(winners, i)
			mu.Unlock()
			_, err = fmt.Fprint(f, i)
			return errors.Join(err, f.Close())
		})
		require.Len(c, winners, 1)
		c.holds("f", fmt.Sprint(winners[0]))
	}},
	{"parallel/mkdir-has-one-winner", nil, func(c *C) {
		var mu sync.Mutex
		made := 0
		c.parallel(func(int) error {
			err := c.Fs.Mkdir("d", 0o755)
			if errors.Is(err, fs.ErrExist) {
				return nil
			}
			mu.Lock()
			made++
			mu.Unlock()
			return err
		})
		require.Equal(c, 1, made)
	}},
	{"parallel/mkdirall-of-one-path", nil, func(c *C) {
		c.parallel(func(i int) error { return c.Fs.MkdirAll(fmt.Sprintf("a/b/c/d%d", i), 0o755) })
		require.Len(c, c.names("a/b/c"), workers)
	}},
	{"parallel/rename-has-one-winner", nil, func(c *C) {
		c.write("f", before)
		var mu sync.Mutex
		var winner []string
		c.parallel(func(i int) error {
			to := fmt.Sprintf("to%d", i)
			err := c.Fs.Rename("f", to)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			mu.Lock()
			winner = append(winner, to)
			mu.Unlock()
			return err
		})
		require.Len(c, winner, 1)
		c.lists("/", winner[0])
		c.holds(winner[0], before)
	}},
	{"parallel/remove-has-one-winner", nil, func(c *C) {
		c.write("f", "")
		var mu sync.Mutex
		removed := 0
		c.parallel(func(int) error {
			err := c.Fs.Remove("f")
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			mu.Lock()
			removed++
			mu.Unlock()
			return err
		})
		require.Equal(c, 1, removed)
	}},
	{"parallel/listing-while-creating", nil, func(c *C) {
		c.mkdir("d")
		c.write("d/stays", "")
		c.parallel(func(i int) error {
			if i%2 == 0 {
				return put(c, fmt.Sprintf("d/f%d", i), "x")
			}
			f, err := c.Fs.Open("d")
			if err != nil {
				return err
			}
			names, err := f.Readdirnames(-1)
			if err == nil && !slices.Contains(names, "stays") {
				err = errors.New("an entry is missing that was there all the time")
			}
			return errors.Join(err, f.Close())
		})
	}},
	{"parallel/different-directories", nil, func(c *C) {
		c.parallel(func(i int) error {
			dir := fmt.Sprintf("d%d", i)
			if err := c.Fs.Mkdir(dir, 0o755); err != nil {
				return err
			}
			for _, name := range []string{"a", "b"} {
				if err := put(c, dir+"/"+name, dir); err != nil {
					return err
				}
			}
			if err := c.Fs.Rename(dir+"/a", dir+"/c"); err != nil {
				return err
			}
			if err := c.Fs.Remove(dir + "/b"); err != nil {
				return err
			}
			return c.Fs.Rename(dir, "moved-"+dir)
		})
		for i := range workers {
			c.lists(fmt.Sprintf("moved-d%d", i), "c")
		}
	}},
}
