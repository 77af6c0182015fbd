package aferotest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"
)

const workers = 8

// parallel runs f concurrently for 0 to workers-1 and reports the errors.
func (c *C) parallel(f func(i int) error) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	errs := make([]error, workers)
	for i := range workers {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	require.NoError(c, errors.Join(errs...))
}

// put writes a file without the methods of C, which must not be called from the goroutines of parallel.
func put(c *C, name, content string) error {
	f, err := c.Fs.Create(name)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

var concurrencyCases = []Case{
	{"parallel/readat-on-one-handle", nil, func(c *C) {
		content := pattern(256 << 10)
		c.write("f", string(content))
		f := c.open("f", os.O_RDONLY)
		c.parallel(func(i int) error {
			part := len(content) / workers
			buf := make([]byte, part)
			if n, err := f.ReadAt(buf, int64(i*part)); n < part {
				return fmt.Errorf("%d bytes, %w", n, err)
			}
			if !bytes.Equal(buf, content[i*part:(i+1)*part]) {
				return fmt.Errorf("part %d differs", i)
			}
			return nil
		})
	}},
	{"parallel/readers-of-their-own", nil, func(c *C) {
		content := string(pattern(64 << 10))
		c.write("f", content)
		c.parallel(func(int) error {
			f, err := c.Fs.Open("f")
			if err != nil {
				return err
			}
			got, err := io.ReadAll(f)
			if err == nil && string(got) != content {
				err = errors.New("content differs")
			}
			return errors.Join(err, f.Close())
		})
	}},
	{"parallel/writeat-of-parts", nil, func(c *C) {
		content := pattern(256 << 10)
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		c.parallel(func(i int) error {
			part := len(content) / workers
			_, err := f.WriteAt(content[i*part:(i+1)*part], int64(i*part))
			return err
		})
		c.close(f)
		require.True(c, bytes.Equal(content, []byte(c.read("f"))), "content differs")
	}},
	{"parallel/appends-lose-nothing", needs(AtomicAppend), func(c *C) {
		c.write("f", "")
		c.parallel(func(i int) error {
			f, err := c.Fs.OpenFile("f", os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			for range 20 {
				if _, err := fmt.Fprintf(f, "line %d\n", i); err != nil {
					return errors.Join(err, f.Close())
				}
			}
			return f.Close()
		})
		lines := strings.Split(strings.TrimSuffix(c.read("f"), "\n"), "\n")
		slices.Sort(lines)
		var want []string
		for i := range workers {
			want = append(want, slices.Repeat([]string{fmt.Sprintf("line %d", i)}, 20)...)
		}
		require.Equal(c, want, lines)
	}},
	{"parallel/replace-is-never-seen-half", needs(AtomicReplace), func(c *C) {
		contents := []string{strings.Repeat("a", 5000), strings.Repeat("b", 7000)}
		c.write("f", contents[0])
		c.parallel(func(i int) error {
			for round := range 10 {
				if i%2 == 0 {
					tmp := fmt.Sprintf("tmp%d", i)
					if err := put(c, tmp, contents[round%2]); err != nil {
						return err
					}
					if err := c.Fs.Rename(tmp, "f"); err != nil {
						return err
					}
					continue
				}
				f, err := c.Fs.Open("f")
				if err != nil {
					return err
				}
				got, err := io.ReadAll(f)
				if err == nil && !slices.Contains(contents, string(got)) {
					err = fmt.Errorf("%d bytes of neither", len(got))
				}
				if err := errors.Join(err, f.Close()); err != nil {
					return err
				}
			}
			return nil
		})
	}},
	{"parallel/close-has-one-winner", nil, func(c *C) {
		f := c.open("f", os.O_RDWR|os.O_CREATE)
		var mu sync.Mutex
		closes := 0
		c.parallel(func(int) error {
			err := f.Close()
			if errors.Is(err, fs.ErrClosed) {
				return nil
			}
			mu.Lock()
			closes++
			mu.Unlock()
			return err
		})
		require.Equal(c, 1, closes)
	}},
}
