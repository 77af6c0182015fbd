package cachefs

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

var errDown = errors.New("no answer")

// clock is a time that stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a remote, a local directory and a cache of the one in the other.
type world struct {
	testing.TB
	remote afero.Fs      // past the line, and past the cache
	line   *faultfs.Plan // between cache and remote
	dir    string        // the local directory
	clock  *clock
	opts   Options
	fs     *Fs

	versions int
}

// newWorld makes a world with links whose clock stands a day after the first version on the remote. As it stands, nothing
// that was heard would ever expire: unless a test is about that, the remote is asked by each call.
func newWorld(t testing.TB, opts Options) *world {
	w := &world{
		TB: t, remote: aferotest.OS(t.TempDir()), line: new(faultfs.Plan), dir: t.TempDir(),
		clock: &clock{now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}, opts: opts,
	}
	w.opts.Now = w.clock.time
	w.opts.ListTTL = cmp.Or(w.opts.ListTTL, -1)
	w.start()
	t.Cleanup(func() {
		require.NoError(t, w.fs.Close())
		w.requireAllClosed() // Close does not wait for calls of the remote that were given up, and close what they open
	})
	return w
}

func (w *world) start() {
	var err error
	w.fs, err = New(faultfs.New(w.remote, w.line), afero.NewBasePathFs(afero.NewOsFs(), w.dir), &w.opts)
	require.NoError(w, err)
	require.NoError(w, w.fs.Damage())
}

func (w *world) restart() {
	require.NoError(w, w.fs.Close())
	w.start()
}

// put makes a new version of a file on the remote, with a modification time of its own.
func (w *world) put(name, content string) {
	w.versions++
	put(w, w.remote, name, content, time.Date(2026, 3, 1, 12, 0, w.versions, 0, time.UTC))
}

func put(t testing.TB, fsys afero.Fs, name, content string, mtime time.Time) {
	t.Helper()
	require.NoError(t, fsys.MkdirAll(path.Dir(name), 0o755))
	require.NoError(t, afero.WriteFile(fsys, name, []byte(content), 0o644))
	require.NoError(t, fsys.Chtimes(name, mtime, mtime))
}

// read opens, reads and closes a file.
func (w *world) read(name string) string {
	w.Helper()
	content, err := afero.ReadFile(w.fs, name)
	require.NoError(w, err)
	return string(content)
}

func (w *world) requireRead(want, name string) {
	w.Helper()
	require.Equal(w, want, w.read(name), "content of %s", name)
}

// requireOneVersion checks that reading, Stat and the listing tell of the same version.
func (w *world) requireOneVersion(want, name string) {
	w.Helper()
	stat, err := w.fs.Stat(name)
	require.NoError(w, err)
	listed := w.listed(name)
	require.NotNil(w, listed, "%s is not listed", name)
	f, err := w.fs.Open(name)
	require.NoError(w, err)
	defer f.Close()
	content, err := afero.ReadAll(f)
	require.NoError(w, err)
	fstat, err := f.Stat()
	require.NoError(w, err)
	require.Equal(w, want, string(content))
	for what, fi := range map[string]fs.FileInfo{"Stat": stat, "listing": listed, "Stat of the open file": fstat} {
		require.Equal(w, int64(len(want)), fi.Size(), what)
		require.Equal(w, stat.ModTime(), fi.ModTime(), what)
		require.Equal(w, stat.Mode(), fi.Mode(), what)
	}
}

// listed is the entry of a name in the listing of its directory, nil if there is none.
func (w *world) listed(name string) fs.FileInfo {
	w.Helper()
	infos, err := afero.ReadDir(w.fs, path.Dir("/"+name))
	require.NoError(w, err)
	for _, fi := range infos {
		if fi.Name() == path.Base(name) {
			return fi
		}
	}
	return nil
}

// requireAsked checks how many operations of the remote a function causes.
func (w *world) requireAsked(want int, do func()) {
	w.Helper()
	before := w.line.Total()
	do()
	require.Equal(w, want, w.line.Total()-before, "operations of the remote")
}

// requireFetched checks how many bytes of the remote's files a function causes to be read.
func (w *world) requireFetched(want int, do func()) {
	w.Helper()
	before := w.line.BytesRead()
	do()
	require.Equal(w, int64(want), w.line.BytesRead()-before, "bytes read on the remote")
}

func (w *world) down() { w.line.Offline(errDown) }
func (w *world) up()   { w.line.Offline(nil) }

// local is the path of a name in the local directory.
func (w *world) local(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

// putLocal writes a file behind the cache's back.
func (w *world) putLocal(name, content string) {
	w.Helper()
	require.NoError(w, os.MkdirAll(filepath.Dir(w.local(name)), 0o755))
	require.NoError(w, os.WriteFile(w.local(name), []byte(content), 0o644))
}

// requireLocal checks what lies in the local directory under a name.
func (w *world) requireLocal(want, name string) {
	w.Helper()
	content, err := os.ReadFile(w.local(name))
	require.NoError(w, err)
	require.Equal(w, want, string(content), "local content of %s", name)
}

// requireNoLocal checks that nothing lies there.
func (w *world) requireNoLocal(name string) {
	w.Helper()
	_, err := os.Lstat(w.local(name))
	require.ErrorIs(w, err, fs.ErrNotExist, "in the local directory")
}

// requireNoLeftovers checks that no fetch left anything behind.
func (w *world) requireNoLeftovers() {
	w.Helper()
	for _, dir := range []string{"tmp", "trash", "discarded"} {
		entries, err := os.ReadDir(filepath.Join(w.dir, ".syncfs", dir))
		require.NoError(w, err)
		require.Empty(w, entries, dir)
	}
}

// copies is the size of all that lies in the local directory but the log.
func (w *world) copies() (size int64) {
	w.Helper()
	err := filepath.Walk(w.dir, func(name string, fi fs.FileInfo, err error) error {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && fi.Mode().IsRegular() && filepath.Dir(name) != filepath.Join(w.dir, ".syncfs") {
			size += fi.Size()
		}
		return nil
	})
	require.NoError(w, err)
	return size
}

// requireAllClosed waits until no file is open on the remote: downloads close theirs in the background.
func (w *world) requireAllClosed() {
	w.Helper()
	require.Eventually(w, func() bool { return len(w.line.OpenFiles()) == 0 }, 10*time.Second, time.Millisecond,
		"left open on the remote")
}

// with is the cache bound to a context.
func (w *world) with(ctx context.Context) afero.Fs { return w.fs.WithContext(ctx) }

// blockAt makes the first operation of a kind on the remote wait. arrived says that it does, release lets it go on.
func (w *world) blockAt(kind faultfs.Kind) (arrived <-chan struct{}, release func()) {
	at, gate := make(chan struct{}), make(chan struct{})
	var first, last sync.Once
	w.line.Before(func(op faultfs.Op) error {
		if op.Kind == kind {
			first.Do(func() {
				close(at)
				<-gate
			})
		}
		return nil
	})
	release = func() { last.Do(func() { close(gate) }) }
	w.Cleanup(release)
	return at, release
}
