package cachefs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
)

// chronicle knows which versions each name of the remote had, and when.
type chronicle struct {
	mu    sync.Mutex
	clock int
	reign map[string][]reign
	taken map[string][]reign // the times in which the other client took what was there away
}

// reign is the time in which a name may have had a version.
type reign struct {
	version [32]byte // of the content; zero: nothing was there
	from    int      // when a change that made it was begun
	to      int      // when one that ended it was over; 0: it is there
}

func (c *chronicle) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock++
	return c.clock
}

// change makes a change after which a name has a version. One that fails leaves both what was there and what was to be.
func (c *chronicle) change(name string, version [32]byte, do func() error) error {
	from := c.now()
	c.mu.Lock()
	c.reign[name] = append(c.reign[name], reign{version: version, from: from})
	mine := len(c.reign[name]) - 1
	c.mu.Unlock()
	err := do()
	to := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		return err
	}
	for i := range c.reign[name][:mine] {
		if r := &c.reign[name][i]; r.to == 0 {
			r.to = to
		}
	}
	return nil
}

// had says whether a name may have had a version at some time.
func (c *chronicle) had(name string, version [32]byte, from, to int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.reign[name] {
		if r.version == version && r.from < to && (r.to == 0 || r.to > from) {
			return true
		}
	}
	return false
}

// take notes that the other client takes away what is under a name.
func (c *chronicle) take(name string, do func() error) error {
	c.mu.Lock()
	c.taken[name] = append(c.taken[name], reign{})
	mine := len(c.taken[name]) - 1
	c.mu.Unlock()
	err := do()
	to := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken[name][mine].to = to
	return err
}

// lost says whether the other client may have taken away, since some time, what was there then.
func (c *chronicle) lost(name string, from int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.taken[name], func(r reign) bool { return r.to == 0 || r.to > from })
}

// Readers, writers, removers and renamers of the cache and another client of the remote at the same time, the remote being
// asked at every open: what is read is one whole version that the name had between the beginning and the end of the read.
func TestModelOfReaders(t *testing.T) {
	t.Parallel()
	runs, steps := 4, 60
	if remotetest.Full() {
		runs, steps = 40, 400
	}
	for run := range runs {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			modelReaders(t, seed, steps)
		})
	}
}

func modelReaders(t *testing.T, seed uint64, steps int) {
	remote := aferotest.OS(t.TempDir())
	opts := &Options{Revalidate: Always, ListTTL: -1} // the other client is seen at once
	if seed%2 == 0 {
		opts.MaxBytes = 5 * mib
	}
	c := newFs(t, remote, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), opts)
	names := []string{"a", "b", "d/c"}
	require.NoError(t, remote.Mkdir("d", 0o755))
	log := &chronicle{reign: map[string][]reign{}, taken: map[string][]reign{}}
	for _, name := range names {
		log.reign[name] = []reign{{}}
	}
	mtime := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	var versions sync.Mutex
	// version makes a content and a time that no other has.
	version := func(r *rand.Rand) ([]byte, time.Time) {
		versions.Lock()
		defer versions.Unlock()
		mtime = mtime.Add(time.Second)
		content := make([]byte, []int{0, 1, 1000, 70_000, 1_000_000, 3_000_000}[r.IntN(6)])
		for i := 0; i < len(content); i += 8 {
			content[i] = byte(r.Uint32())
		}
		if len(content) > 8 {
			copy(content[:8], mtime.Format("15:04:05"))
		}
		return content, mtime
	}
	// place puts a version under a name in one step.
	place := func(r *rand.Rand, fsys afero.Fs, temp, name string) error {
		content, mtime := version(r)
		require.NoError(t, afero.WriteFile(remote, temp, content, 0o644))
		require.NoError(t, remote.Chtimes(temp, mtime, mtime))
		return log.change(name, sha256.Sum256(content), func() error { return fsys.Rename(temp, name) })
	}
	var changing sync.Mutex // of names: a rename of one takes the version of another along
	// taking makes a change that takes a name away, unless what has it is opened already: the cache sees to that,
	// another client does not.
	taking := func(fsys afero.Fs, name string, do func() error) error {
		if fsys == remote {
			return log.take(name, do)
		}
		return do()
	}
	remove := func(fsys afero.Fs, name string) error {
		return taking(fsys, name, func() error {
			return log.change(name, [32]byte{}, func() error { return fsys.Remove(name) })
		})
	}
	rename := func(fsys afero.Fs, from, to string) error {
		if from == to {
			return nil
		}
		content, err := afero.ReadFile(remote, from)
		if err != nil {
			return err
		}
		return taking(fsys, from, func() error {
			return log.change(from, [32]byte{}, func() error {
				return log.change(to, sha256.Sum256(content), func() error { return fsys.Rename(from, to) })
			})
		})
	}
	read := func(name string) error {
		from := log.now()
		content, err := afero.ReadFile(c, name)
		to := log.now()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if !log.had(name, [32]byte{}, from, to) {
				return fmt.Errorf("%s: %w, and it was there all the time", name, err)
			}
		case errors.Is(err, ErrChanged) && log.lost(name, from): // when the cache had just heard that it was there
		case err != nil:
			return err
		case !log.had(name, sha256.Sum256(content), from, to):
			return fmt.Errorf("%s: read %d bytes that it never had in that time", name, len(content))
		}
		return nil
	}

	var actors sync.WaitGroup
	act := func(number uint64, steps int, step func(*rand.Rand, string) error) {
		r := rand.New(rand.NewPCG(seed, number))
		actors.Go(func() {
			for range steps {
				if err := step(r, names[r.IntN(len(names))]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range uint64(4) {
		act(i, steps, func(r *rand.Rand, name string) error { return read(name) })
	}
	act(10, steps, func(r *rand.Rand, name string) error { // who opens, looks at some places, and closes
		from := log.now()
		f, err := c.Open(name)
		if err != nil {
			return ignore(err, fs.ErrNotExist)
		}
		fi, err := f.Stat()
		if err == nil {
			_, err = f.ReadAt(make([]byte, 1000), r.Int64N(fi.Size()+1))
		}
		if errors.Is(err, ErrChanged) && log.lost(name, from) {
			err = nil
		}
		if err = errors.Join(ignore(err, io.EOF), f.Close()); err != nil {
			return err
		}
		return ignore(c.Evict(name), ErrBusy, fs.ErrNotExist)
	})
	for i, fsys := range []afero.Fs{remote, c} {
		act(20+uint64(i), steps, func(r *rand.Rand, name string) error {
			changing.Lock()
			defer changing.Unlock()
			var err error
			switch r.IntN(6) {
			case 0:
				err = remove(fsys, name)
			case 1:
				err = rename(fsys, name, names[r.IntN(len(names))])
			default:
				err = place(r, fsys, fmt.Sprintf("temp%d", i), name)
			}
			return ignore(err, fs.ErrNotExist)
		})
	}
	actors.Wait()
	if opts.MaxBytes == 0 {
		require.NoError(t, second(c.Pull(t.Context(), "/")))
	}
	want, treeErr := aferotest.Tree(remote)
	require.NoError(t, treeErr)
	got, treeErr := aferotest.Tree(c)
	require.NoError(t, treeErr)
	require.Empty(t, aferotest.Diff(want, got))
}

// ignore makes errors that are expected none.
func ignore(err error, expected ...error) error {
	for _, e := range append(expected, os.ErrNotExist) {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}
