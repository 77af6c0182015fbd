//go:build unix

package limits

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
)

var limits = []limit{
	{name: "files open at once", size: 64, same: true, serve: serveIn(64, 1<<20), use: openAtOnce, require: requireOut},
	{name: "goroutines on one Fs", size: 10_000, serve: serveIn(100, 4096), use: goroutines, require: requireOut},
	{name: "files in one directory", size: 100_000, serve: serveWide, use: useWide, require: requireNew},
	{name: "files in a tree", size: 1_000_000, serve: serveTree, use: useTree},
	{name: "bytes of a sparse file", size: 20 << 30, serve: serveSparse, use: useSparse, require: requireSparse,
		cut: []link.Direction{link.Down, link.Up}},
	{name: "bytes of a path", size: 4000, same: true, use: useLongPath},
	{name: "entries of a listing", size: 10_000_000, use: useEndless, endless: true},
	{name: "bytes of the state log", size: 100 << 20, use: useLongLog},
}

// text returns the content of a file, which says where it belongs.
func text(name string, size int) []byte {
	line := name + "\n"
	return []byte(strings.Repeat(line, size/len(line)+1)[:size])
}

func put(t *testing.T, name string, content []byte) {
	if err := os.WriteFile(name, content, 0o644); err != nil {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, content, 0o644))
	}
}

// requireText reads a file of the view.
func (c *client) requireText(name string, want []byte) error {
	got, err := afero.ReadFile(c.fs, name)
	if err == nil {
		err = same(name, got, want)
	}
	return err
}

func same(name string, got, want []byte) error {
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not as it was written", name)
	}
	return nil
}

// serveIn makes files in the directory "in" of the server.
func serveIn(files, size int) func(*testing.T, string, int64) {
	return func(t *testing.T, root string, _ int64) {
		for i := range files {
			name := fmt.Sprintf("in/%d", i)
			put(t, filepath.Join(root, name), text(name, size))
		}
	}
}

// requireOut requires n files in the directory "out" of the server.
func requireOut(t *testing.T, root string, n int64) {
	for i := range n {
		name := fmt.Sprintf("out/%d", i)
		got, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		require.Equal(t, text(name, len(got)), got)
	}
}

// openAtOnce reads n files in turn, and then writes n files in turn.
func openAtOnce(c *client) error {
	const size, block = 1 << 20, 64 << 10
	inTurn := func(dir string, flag int, do func(f afero.File, want []byte) error) func() error {
		return func() (err error) {
			files, texts := make([]afero.File, c.Size), make([][]byte, c.Size)
			for i := range files {
				name := fmt.Sprintf("%s/%d", dir, i)
				texts[i] = text(name, size)
				if files[i], err = c.fs.OpenFile(name, flag, 0o644); err != nil {
					return err
				}
			}
			for at := 0; at < size; at += block {
				for i, f := range files {
					if err := do(f, texts[i][at:at+block]); err != nil {
						return err
					}
				}
			}
			for _, f := range files {
				err = errors.Join(err, f.Close())
			}
			return err
		}
	}
	read := inTurn("in", os.O_RDONLY, func(f afero.File, want []byte) error {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(f, got); err != nil {
			return err
		}
		return same(f.Name(), got, want)
	})
	write := inTurn("out", os.O_CREATE|os.O_WRONLY, func(f afero.File, want []byte) error {
		_, err := f.Write(want)
		return err
	})
	return inOrder(
		func() error { return c.step("read in turn", c.Size, read) },
		func() error { return c.fs.Mkdir("out", 0o755) },
		func() error { return c.step("write in turn", c.Size, write) },
		func() error { return c.push(c.Size) },
	)
}

// goroutines has n goroutines read and write at once.
func goroutines(c *client) error {
	use := func() error {
		errs := make([]error, c.Size)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				in, out := fmt.Sprintf("in/%d", i%100), fmt.Sprintf("out/%d", i)
				_, list := afero.ReadDir(c.fs, "in")
				errs[i] = errors.Join(c.requireText(in, text(in, 4096)), afero.WriteFile(c.fs, out, text(out, 100), 0o644),
					c.requireText(out, text(out, 100)), list)
			})
		}
		all.Wait()
		return errors.Join(errs...)
	}
	return inOrder(
		func() error { return c.fs.Mkdir("out", 0o755) },
		func() error { return c.step("read, write, list", c.Size, use) },
		func() error { return c.push(c.Size) },
	)
}

func serveWide(t *testing.T, root string, n int64) {
	for i := range n {
		name := fmt.Sprintf("wide/%d", i)
		put(t, filepath.Join(root, name), text(name, 100))
	}
}

func useWide(c *client) error {
	list := func() error {
		infos, err := afero.ReadDir(c.fs, "wide")
		if err == nil && len(infos) != int(c.Size) {
			err = fmt.Errorf("%d entries", len(infos))
		}
		return err
	}
	read := func() (err error) {
		for i := range c.Size {
			name := fmt.Sprintf("wide/%d", i)
			err = errors.Join(err, c.requireText(name, text(name, 100)))
		}
		return err
	}
	write := func() error {
		err := c.fs.Mkdir("new", 0o755)
		for i := range c.Size {
			name := fmt.Sprintf("new/%d", i)
			err = errors.Join(err, afero.WriteFile(c.fs, name, text(name, 100), 0o644))
		}
		return err
	}
	removeOdd := func() (err error) {
		for i := int64(1); i < c.Size; i += 2 {
			err = errors.Join(err, c.fs.Remove(fmt.Sprintf("new/%d", i)))
		}
		return err
	}
	return inOrder(
		func() error { return c.step("list", c.Size, list) },
		func() error { return c.pull("wide", c.Size) },
		func() error { return c.step("list the copies", c.Size, list) },
		func() error { return c.step("read the copies", c.Size, read) },
		func() error { return c.step("write new files", c.Size, write) },
		func() error { return c.push(c.Size) },
		func() error { return c.reopen(2 * c.Size) },
		func() error { return c.step("remove half of them", c.Size/2, removeOdd) },
		func() error { return c.push(c.Size / 2) },
	)
}

func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// requireNew requires the files that useWide has left.
func requireNew(t *testing.T, root string, n int64) {
	infos, err := os.ReadDir(filepath.Join(root, "new"))
	require.NoError(t, err)
	require.Len(t, infos, int(n+1)/2)
	for _, fi := range infos {
		got, err := os.ReadFile(filepath.Join(root, "new", fi.Name()))
		require.NoError(t, err)
		require.Equal(t, text("new/"+fi.Name(), 100), got)
	}
}

// inTree returns the name of a file in a tree with a thousand files in a directory.
func inTree(i int64) string { return fmt.Sprintf("tree/%d/%d", i/1000, i%1000) }

func serveTree(t *testing.T, root string, n int64) {
	for i := range n {
		put(t, filepath.Join(root, inTree(i)), text(inTree(i), 20))
	}
}

func useTree(c *client) error {
	walk := func() error {
		files := int64(0)
		err := afero.Walk(c.fs, "tree", func(_ string, fi fs.FileInfo, err error) error {
			if err == nil && fi.Mode().IsRegular() {
				files++
			}
			return err
		})
		if err == nil && files != c.Size {
			err = fmt.Errorf("%d files", files)
		}
		return err
	}
	read := func() (err error) {
		for i := int64(0); i < c.Size; i += 101 {
			err = errors.Join(err, c.requireText(inTree(i), text(inTree(i), 20)))
		}
		return err
	}
	return inOrder(
		func() error { return c.step("walk", c.Size, walk) },
		func() error { return c.pull("tree", c.Size) },
		func() error { return c.step("walk the copies", c.Size, walk) },
		func() error { return c.reopen(c.Size) },
		func() error { return c.step("walk again", c.Size, walk) },
		func() error { return c.step("read some", c.Size/101, read) },
	)
}

// marks returns where a sparse file has data.
func marks(n int64) []int64 { return []int64{0, n / 3, n / 2, n - 10} }

func serveSparse(t *testing.T, root string, n int64) {
	f, err := os.Create(filepath.Join(root, "down"))
	require.NoError(t, err)
	require.NoError(t, writeSparse(f, n))
}

func writeSparse(f afero.File, n int64) error {
	err := f.Truncate(n)
	for _, at := range marks(n) {
		_, errWrite := f.WriteAt([]byte("mark"), at)
		err = errors.Join(err, errWrite)
	}
	return errors.Join(err, f.Close())
}

func checkSparse(f afero.File, n int64) error {
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || fi.Size() != n {
		return fmt.Errorf("%d bytes: %w", fi.Size(), err)
	}
	for _, at := range marks(n) {
		got := make([]byte, 8)
		if _, err := f.ReadAt(got, at); err != nil || string(got) != "mark\x00\x00\x00\x00" {
			return fmt.Errorf("%q at %d: %w", got, at, err)
		}
	}
	return nil
}

func useSparse(c *client) error {
	return inOrder(
		func() error {
			return c.step("Fetch", c.Size>>20, func() error { return c.fs.Fetch(context.Background(), "down") })
		},
		func() error {
			f, err := c.fs.Open("down")
			if err == nil {
				err = checkSparse(f, c.Size)
			}
			return err
		},
		func() error {
			f, err := c.fs.Create("up")
			if err == nil {
				err = writeSparse(f, c.Size)
			}
			return err
		},
		func() error { return c.push(c.Size >> 20) },
	)
}

func requireSparse(t *testing.T, root string, n int64) {
	f, err := os.Open(filepath.Join(root, "up"))
	require.NoError(t, err)
	require.NoError(t, checkSparse(f, n))
}

func useLongPath(c *client) error {
	top := strings.Repeat("d", 100)
	name := top
	longest := min(c.Size, int64(4095-len(c.Root)-1)) // the server opens the path with its root
	for int64(len(name))+202 < longest {
		name = path.Join(name, strings.Repeat("x", 100))
	}
	name += "/" + strings.Repeat("f", int(longest)-len(name)-1)
	return inOrder(
		func() error {
			return c.step("make", 1, func() error {
				return errors.Join(c.fs.MkdirAll(path.Dir(name), 0o755), afero.WriteFile(c.fs, name, []byte("content"), 0o644))
			})
		},
		func() error { return c.push(1) },
		func() error { return c.fs.Evict(name) },
		func() error {
			return c.step("read", 1, func() error { return c.requireText(name, []byte("content")) })
		},
		func() error { return c.step("remove", 1, func() error { return c.fs.RemoveAll(top) }) },
		func() error { return c.push(1) },
	)
}

// useEndless lists a directory. A listing that takes too much memory fails with an error that says so.
func useEndless(c *client) error {
	return c.step("list", c.Size, func() error {
		infos, err := afero.ReadDir(c.fs, ".")
		switch {
		case err != nil && strings.Contains(err.Error(), "the server lists more than 1073741824 bytes"):
			return nil
		case err == nil && len(infos) != int(c.Size):
			err = fmt.Errorf("%d entries", len(infos))
		}
		return err
	})
}

// useLongLog queues symbolic links, which are nowhere but in the state, until the log is as long as it has to be.
func useLongLog(c *client) error {
	links := int64(0)
	err := c.step("queue", 0, func() error {
		err := c.fs.Mkdir("links", 0o755)
		for size := int64(0); err == nil && size < c.Size; links++ {
			if err = c.fs.SymlinkIfPossible("../"+strings.Repeat("target", 10), fmt.Sprintf("links/%d", links)); links%100 == 0 && err == nil {
				var fi fs.FileInfo
				if fi, err = os.Stat(filepath.Join(c.Local, ".syncfs", "log")); err == nil {
					size = fi.Size()
				}
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return inOrder(
		func() error { return c.reopen(links) },
		func() error {
			return c.step("Pending", links, func() error {
				if n := len(c.fs.Pending()); n != int(links)+1 {
					return fmt.Errorf("%d changes", n)
				}
				return nil
			})
		},
		func() error { return c.step("Discard", links, func() error { return c.fs.Discard() }) },
		func() error { return c.reopen(0) },
	)
}
