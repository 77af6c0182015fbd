package sftpfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// stormWorker writes below a directory of its own and knows what has to be there.
type stormWorker struct {
	fsys  *sftpfs.Fs
	dir   string
	rand  *rand.Rand
	files map[string][]byte // by path
	parts int
	done  *atomic.Bool
	bad   func(format string, args ...any)
}

// until repeats what may be repeated while the server is not available.
func (w *stormWorker) until(what string, op func() error) error {
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		err := op()
		if !errors.Is(err, sftpfs.ErrUnavailable) {
			return err
		}
		if time.Since(began) > 5*soon {
			w.bad("%s: never available: %v", what, err)
			return err
		}
	}
}

func (w *stormWorker) run() {
	for !w.done.Load() {
		name := fmt.Sprintf("%s/f%d", w.dir, w.rand.IntN(8))
		switch content, known := w.files[name]; {
		case !known || w.rand.IntN(4) == 0:
			w.write(name)
		case w.rand.IntN(4) == 0:
			w.remove(name)
		case w.rand.IntN(4) == 0:
			w.list()
		default:
			w.read(name, content)
		}
	}
}

// write puts a new file in place, as a careful program does: whole, under a name of its own, then renamed. That a
// rename of unknown outcome took place shows in what is missing.
func (w *stormWorker) write(name string) {
	content := make([]byte, w.rand.IntN(300_000))
	for i := range content {
		content[i] = byte(w.rand.Uint32())
	}
	part := ""
	err := w.until("write", func() error {
		w.parts++ // what an earlier one still has on its way must not hit this one
		part = fmt.Sprintf("%s/part%d", w.dir, w.parts)
		f, err := w.fsys.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, struct{ io.Reader }{bytes.NewReader(content)})
		return errors.Join(err, f.Close())
	})
	if err != nil {
		w.bad("write: %v", err)
	}
	err = w.until("rename", func() error { return w.fsys.Rename(part, name) })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.bad("rename: %v", err)
	}
	w.files[name] = content
	w.read(name, content)
}

func (w *stormWorker) remove(name string) {
	err := w.until("remove", func() error { return w.fsys.Remove(name) })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.bad("remove: %v", err)
	}
	delete(w.files, name)
}

func (w *stormWorker) read(name string, content []byte) {
	var got []byte
	err := w.until("read", func() (err error) {
		got, err = afero.ReadFile(w.fsys, name)
		return err
	})
	if err != nil || !bytes.Equal(got, content) {
		w.bad("read %s: %v: %d bytes, want %d", name, err, len(got), len(content))
	}
}

func (w *stormWorker) list() {
	var entries []fs.FileInfo
	err := w.until("list", func() (err error) {
		entries, err = afero.ReadDir(w.fsys, w.dir)
		return err
	})
	n := 0
	for _, fi := range entries {
		if !strings.HasPrefix(fi.Name(), "part") {
			n++
		}
	}
	if err != nil || n != len(w.files) {
		w.bad("list: %v: %d files, want %d", err, n, len(w.files))
	}
}

// Through cuts at random bytes, readers and writers go on; what they get and leave is what there has to be.
func TestStormOfCuts(t *testing.T) {
	t.Parallel()
	cuts := 40
	if os.Getenv("SYNCFS_FULL") == "1" {
		cuts = 1000
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	tree := &openCount{Fs: afero.NewMemMapFs()}
	server := newServer(t, &sftptest.Options{Fs: tree})
	shared := random(2 << 20)
	require.NoError(t, afero.WriteFile(tree, "/shared", shared, 0o644))
	l, cfg := far(t, server.Config(), link.Options{})
	cfg.DialTimeout, cfg.IdleTimeout = soon, soon
	fsys := newFs(t, cfg)

	var done atomic.Bool
	var wg sync.WaitGroup
	bad := func(format string, args ...any) {
		t.Errorf(format, args...)
		done.Store(true)
	}
	var workers []*stormWorker
	for i := range 4 {
		w := &stormWorker{
			fsys: fsys, dir: fmt.Sprintf("/w%d", i), rand: rand.New(rand.NewPCG(seed, uint64(i))),
			files: make(map[string][]byte), done: &done, bad: bad,
		}
		require.NoError(t, tree.Mkdir(w.dir, 0o755))
		workers = append(workers, w)
		wg.Go(w.run)
	}
	var reads atomic.Int64
	for range 2 {
		wg.Go(func() {
			for !done.Load() {
				var got bytes.Buffer
				f, err := fsys.Open("shared")
				if err == nil {
					_, err = io.Copy(&got, f)
					f.Close()
				}
				switch {
				case err == nil && bytes.Equal(shared, got.Bytes()):
					reads.Add(1)
				case err == nil:
					bad("a copy of %d bytes, other ones", got.Len())
				case !errors.Is(err, sftpfs.ErrUnavailable):
					bad("copy: %v", err)
				}
			}
		})
	}

	random := rand.New(rand.NewPCG(seed, 99))
	came := 0
	for ; came < cuts && !done.Load(); came++ {
		cut := l.CutAfter(link.Direction(random.IntN(2)), random.Int64N(1<<(10+random.IntN(11))))
		select {
		case <-cut.Came():
		case <-time.After(5 * soon):
			bad("no cut comes: nobody does anything")
		}
	}
	done.Store(true)
	wg.Wait()
	t.Logf("%d cuts, %d whole copies, %d files written", came, reads.Load(), workers[0].parts+workers[1].parts)

	for _, w := range workers {
		entries, err := afero.ReadDir(fsys, w.dir)
		require.NoError(t, err)
		for _, fi := range entries {
			if strings.HasPrefix(fi.Name(), "part") {
				w.remove(path.Join(w.dir, fi.Name()))
			}
		}
		got, err := aferotest.Tree(afero.NewBasePathFs(tree.Fs, w.dir))
		require.NoError(t, err)
		assert.Len(t, got, len(w.files))
		for name, content := range w.files {
			e, there := got[path.Base(name)]
			assert.True(t, there && e.Content == string(content), name)
		}
	}
	require.NoError(t, fsys.Close())
	require.Eventually(t, func() bool { return tree.open.Load() == 0 }, soon, time.Millisecond,
		"the server has files open that nobody uses")
}
