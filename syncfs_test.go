// Package syncfs_test holds what the README tells: each feature on every kind of remote and of local directory.
package syncfs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
	"github.com/sftpsyncer/go-syncfs/syncfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// remote is a remote with another way to look at it, and a switch.
type remote struct {
	fs    afero.Fs // what the program uses
	look  afero.Fs // the same tree past it
	down  func()   // it gives no answer until up
	up    func()
	below func(root string) afero.Fs // another Fs on the same remote, with a root below this one
	links bool                       // it has symbolic links
}

var remotes = []struct {
	name string
	open func(*testing.T) *remote
}{
	{"in memory", memoryRemote},
	{"embedded server", embeddedRemote},
	{"OpenSSH", opensshRemote},
}

var locals = []struct {
	name string
	open func(*testing.T) afero.Fs
}{
	{"directory", func(t *testing.T) afero.Fs { return afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()) }},
	{"in memory", func(*testing.T) afero.Fs { return afero.NewMemMapFs() }},
}

var errDown = errors.New("no answer")

func memoryRemote(*testing.T) *remote {
	memory := afero.NewBasePathFs(afero.NewMemMapFs(), "/") // MemMapFs takes "a" and "/a" for two files
	line := new(faultfs.Plan)
	return &remote{
		fs: faultfs.New(memory, line), look: memory,
		down:  func() { line.Offline(errDown) },
		up:    func() { line.Offline(nil) },
		below: func(root string) afero.Fs { return afero.NewBasePathFs(memory, root) },
	}
}

func embeddedRemote(t *testing.T) *remote {
	server, err := sftptest.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	down := func() { require.NoError(t, server.Stop()) }
	up := func() { require.NoError(t, server.Start()) }
	return sftpRemote(t, server.Config(), down, up)
}

func opensshRemote(t *testing.T) *remote {
	server := opensshtest.Start(t, opensshtest.Options{})
	config := sftpfs.Config{
		Addr: server.Addr, User: server.User, Root: server.Root,
		KeyFiles: []string{server.KeyFile}, KnownHosts: []string{server.KnownHosts},
	}
	return sftpRemote(t, config, server.Stop, server.Restart)
}

func sftpRemote(t *testing.T, config sftpfs.Config, down, up func()) *remote {
	client, look := dial(t, config), dial(t, config)
	return &remote{
		fs: client, look: look, links: true,
		down: down,
		up: func() {
			up()
			for _, client := range []*sftpfs.Fs{client, look} {
				// For a moment after a failed attempt a client does not dial.
				require.Eventually(t, func() bool { return client.Connect(t.Context()) == nil }, 10*time.Second, time.Millisecond)
			}
		},
		below: func(root string) afero.Fs {
			config := config
			config.Root = path.Join(config.Root, root)
			return dial(t, config)
		},
	}
}

func dial(t *testing.T, config sftpfs.Config) *sftpfs.Fs {
	client, err := sftpfs.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// world is one remote, one local directory and the Fs over both.
type world struct {
	*testing.T
	remote *remote
	local  afero.Fs
	fs     *syncfs.Fs

	unqueued []string // in the view and not on the remote, for it lies in the local directory and was not added
}

func TestStory(t *testing.T) {
	t.Parallel()
	for _, r := range remotes {
		for _, l := range locals {
			t.Run(r.name+" through "+l.name, func(t *testing.T) {
				t.Parallel()
				for _, c := range story {
					t.Run(c.name, func(t *testing.T) {
						t.Parallel()
						w := &world{T: t, remote: r.open(t), local: l.open(t)}
						w.open(w.remote.fs)
						defer func() { require.NoError(w, w.fs.Close()) }()
						c.run(w)
					})
				}
			})
		}
	}
}

var story = []struct {
	name string
	run  func(*world)
}{
	{"open local", openLocal},
	{"open remote: fetched once", openRemote},
	{"open what is not anywhere", openNowhere},
	{"open while the remote is unavailable", openUnavailable},
	{"add", add},
	{"add what is not there", addMissing},
	{"add a directory", addDir},
	{"add a directory: all", addAll},
	{"iterate the queue and clear it", queue},
	{"push a file that the remote has", pushExisting},
	{"push a file that the remote does not have", pushNew},
	{"push makes directories on the way", pushDirectories},
	{"push shows no part of a file", pushWhole},
	{"push makes the remote root", pushRoot},
	{"push names that are not ASCII", pushUnicode},
	{"push a file that is gone", pushGone},
	{"push without a queue", pushNothing},
	{"push while the remote is unavailable", pushUnavailable},
	{"pull a directory", pullDir},
	{"pull a directory: all", pullAll},
	{"the queue outlives the program", restart},

	{"write", write},
	{"edit", edit},
	{"make a directory", mkdir},
	{"remove a file", removeFile},
	{"remove a directory", removeDir},
	{"rename a file", renameFile},
	{"rename a directory", renameDir},
	{"rename over a file", renameOver},
	{"chmod", chmod},
	{"chtimes", chtimes},
	{"symlink", symlink},
}

func openLocal(w *world) {
	w.place("a.txt", "local")
	w.serve("a.txt", "remote")
	w.remote.down()
	w.reads("a.txt", "local")
}

func openRemote(w *world) {
	w.serve("d/a.txt", "remote")
	count := new(faultfs.Plan)
	w.reopen(faultfs.New(w.remote.fs, count))
	w.reads("d/a.txt", "remote")
	w.copied("d/a.txt", "remote")

	before := count.Total()
	require.Positive(w, before)
	w.reads("d/a.txt", "remote")
	require.Equal(w, before, count.Total(), "the second time the remote was asked")
}

func openNowhere(w *world) {
	_, err := w.fs.Open("d/a.txt")
	require.ErrorIs(w, err, fs.ErrNotExist)
	require.NotErrorIs(w, err, syncfs.ErrUnavailable)
}

func openUnavailable(w *world) {
	w.serve("fetched.txt", "remote")
	w.place("local.txt", "local")
	w.reads("fetched.txt", "remote")
	w.remote.down()

	_, err := w.fs.Open("a.txt")
	require.ErrorIs(w, err, syncfs.ErrUnavailable)
	require.NotErrorIs(w, err, fs.ErrNotExist)
	w.reads("fetched.txt", "remote")
	w.reads("local.txt", "local")
}

func add(w *world) {
	w.place("a.txt", "local")
	w.queues(func() { require.NoError(w, w.fs.Add("a.txt")) })
	w.served("a.txt", "local")
	w.reads("a.txt", "local")
}

func addMissing(w *world) {
	require.ErrorIs(w, w.fs.Add("a.txt"), fs.ErrNotExist)
	require.Empty(w, w.fs.Pending())
}

func addDir(w *world) {
	for _, name := range []string{"d/a.txt", "d/e/b.txt", "f/c.txt"} {
		w.place(name, name)
	}
	w.unqueued = []string{"f", "f/c.txt"}
	w.queues(func() {
		var added []string
		require.NoError(w, w.fs.AddDir("d", func(name string) {
			added = append(added, name)
			w.fs.Pending() // the Fs may be used meanwhile
		}))
		require.ElementsMatch(w, []string{"d/a.txt", "d/e/b.txt"}, added)
	})
	w.served("d/a.txt", "d/a.txt")
	w.served("d/e/b.txt", "d/e/b.txt")
	w.notServed("f")
}

func addAll(w *world) {
	for i, alias := range []string{"/", ".", "*"} {
		name := string(rune('a'+i)) + "/a.txt"
		w.place(name, alias)
		require.NoError(w, w.fs.AddDir(alias, nil), alias)
		require.NotEmpty(w, w.fs.Pending(), alias)
		w.push()
		w.served(name, alias)
	}
}

func queue(w *world) {
	for _, name := range []string{"a.txt", "b.txt", "c.txt"} {
		w.place(name, name)
		require.NoError(w, w.fs.Add(name))
	}
	pending := w.fs.Pending()
	require.ElementsMatch(w, []string{"a.txt", "b.txt", "c.txt"}, names(pending))
	for _, change := range pending {
		require.EqualValues(w, len(change.Name), change.Size)
		require.False(w, change.Queued.IsZero())
	}
	clear(pending) // the slice is the caller's
	require.ElementsMatch(w, []string{"a.txt", "b.txt", "c.txt"}, names(w.fs.Pending()))

	require.NoError(w, w.fs.Discard("b.txt"))
	require.ElementsMatch(w, []string{"a.txt", "c.txt"}, names(w.fs.Pending()))
	require.NoError(w, w.fs.Discard())
	w.unqueued = []string{"a.txt", "b.txt", "c.txt"}
	w.push()
	require.Empty(w, shape(w, w.remote.look))
	w.reads("b.txt", "b.txt") // what was added stays where it was
}

func pushExisting(w *world) {
	w.serve("a.txt", "of the remote")
	w.place("a.txt", "local")
	w.queues(func() { require.NoError(w, w.fs.Add("a.txt")) })
	w.served("a.txt", "local")
}

func pushNew(w *world) {
	w.serve("b.txt", "of the remote")
	w.place("a.txt", "local")
	w.queues(func() { require.NoError(w, w.fs.Add("a.txt")) })
	w.served("a.txt", "local")
	w.served("b.txt", "of the remote")
}

func pushDirectories(w *world) {
	w.place("x/y/z/a.txt", "local")
	w.queues(func() { require.NoError(w, w.fs.Add("x/y/z/a.txt")) })
	w.served("x/y/z/a.txt", "local")
}

// pushRoot works below a directory that the remote does not have yet.
func pushRoot(w *world) {
	require.NoError(w, w.fs.Close())
	var err error
	w.fs, err = syncfs.New(w.remote.below("x/root"), w.local, &syncfs.Options{Cache: cachefs.Options{AdoptRemote: true}})
	require.NoError(w, err)
	_, err = w.fs.Open("a.txt")
	require.ErrorIs(w, err, fs.ErrNotExist)
	w.place("d/a.txt", "local")
	require.NoError(w, w.fs.Add("d/a.txt"))
	_, err = w.fs.Push(w.Context())
	require.NoError(w, err)
	w.served("x/root/d/a.txt", "local")
}

func pushUnicode(w *world) {
	w.place("日本/香港.txt", "local")
	w.queues(func() { require.NoError(w, w.fs.Add("日本/香港.txt")) })
	w.served("日本/香港.txt", "local")
}

// pushGone removes a file between Add and Push, past the Fs.
func pushGone(w *world) {
	w.place("a.txt", "local")
	require.NoError(w, w.fs.Add("a.txt"))
	require.NoError(w, w.local.Remove("a.txt"))
	_, err := w.fs.Push(w.Context())
	require.Error(w, err)
	w.notServed("a.txt")
}

// pushWhole looks at the remote before every operation that Push makes there.
func pushWhole(w *world) {
	text := strings.Repeat("0123456789abcdef", 1<<16)
	w.serve("d/old.txt", "of the remote")
	var looks atomic.Int64
	line := new(faultfs.Plan)
	w.reopen(faultfs.New(w.remote.fs, line))
	w.place("d/old.txt", text)
	w.place("d/new.txt", text)
	require.NoError(w, w.fs.AddDir("d", nil))
	line.Before(func(faultfs.Op) error {
		looks.Add(1)
		list, err := afero.ReadDir(w.remote.look, "d")
		assert.NoError(w, err)
		for _, entry := range list {
			if name := entry.Name(); !strings.HasPrefix(name, ".syncfs-") { // first: an entry of MemMapFs changes with the file
				size := entry.Size()
				whole := size == int64(len(text)) || name == "old.txt" && size == 13
				assert.True(w, whole, "%s: %d bytes", name, size)
			}
		}
		return nil
	})
	w.push()
	line.Before(nil)
	require.Positive(w, looks.Load())
	w.served("d/old.txt", text)
	w.served("d/new.txt", text)
}

func pushNothing(w *world) {
	w.place("a.txt", "local")
	w.remote.down()
	report, err := w.fs.Push(w.Context())
	require.NoError(w, err)
	require.Empty(w, report.Results)
}

func pushUnavailable(w *world) {
	w.place("a.txt", "local")
	require.NoError(w, w.fs.Add("a.txt"))
	w.remote.down()
	_, err := w.fs.Push(w.Context())
	require.ErrorIs(w, err, syncfs.ErrUnavailable)
	require.Equal(w, []string{"a.txt"}, names(w.fs.Pending()))
	w.remote.up()
	w.push()
	w.served("a.txt", "local")
}

func pullDir(w *world) {
	for _, name := range []string{"d/a.txt", "d/e/b.txt", "f/c.txt"} {
		w.serve(name, name)
	}
	report, err := w.fs.Pull(w.Context(), "d")
	require.NoError(w, err)
	require.Len(w, report.Results, 2)
	w.remote.down()
	w.reads("d/a.txt", "d/a.txt")
	w.reads("d/e/b.txt", "d/e/b.txt")
	_, err = w.local.Stat(w.localName("f/c.txt"))
	require.ErrorIs(w, err, fs.ErrNotExist)
}

func pullAll(w *world) {
	for i, alias := range []string{"/", ".", "*"} {
		name := string(rune('a'+i)) + "/a.txt"
		w.serve(name, alias)
		_, err := w.fs.Pull(w.Context(), alias)
		require.NoError(w, err)
		w.copied(name, alias)
	}
}

func restart(w *world) {
	w.write("a.txt", "written")
	w.reopen(w.remote.fs)
	require.Equal(w, []string{"a.txt"}, names(w.fs.Pending()))
	w.reads("a.txt", "written")
	w.push()
	w.served("a.txt", "written")
}

func write(w *world) {
	w.queues(func() {
		w.write("a.txt", "written")
		w.reads("a.txt", "written")
	})
	w.served("a.txt", "written")
}

func edit(w *world) {
	w.serve("a.txt", "of the remote")
	w.queues(func() {
		f, err := w.fs.OpenFile("a.txt", os.O_WRONLY|os.O_APPEND, 0)
		require.NoError(w, err)
		_, err = f.WriteString(", and more")
		require.NoError(w, err)
		require.NoError(w, f.Close())
		w.reads("a.txt", "of the remote, and more")
	})
	w.served("a.txt", "of the remote, and more")
}

func mkdir(w *world) {
	w.queues(func() {
		require.NoError(w, w.fs.MkdirAll("d/e", 0o755))
		info, err := w.fs.Stat("d/e")
		require.NoError(w, err)
		require.True(w, info.IsDir())
	})
	info, err := w.remote.look.Stat("d/e")
	require.NoError(w, err)
	require.True(w, info.IsDir())
}

func removeFile(w *world) {
	w.serve("a.txt", "of the remote")
	w.queues(func() {
		require.NoError(w, w.fs.Remove("a.txt"))
		w.isGone("a.txt")
	})
	w.notServed("a.txt")
}

func removeDir(w *world) {
	w.serve("d/a.txt", "of the remote")
	w.serve("d/e/b.txt", "of the remote")
	w.queues(func() {
		require.NoError(w, w.fs.RemoveAll("d"))
		w.isGone("d/e/b.txt")
		w.isGone("d")
	})
	w.notServed("d")
}

func renameFile(w *world) {
	w.serve("a.txt", "of the remote")
	w.queues(func() {
		require.NoError(w, w.fs.Rename("a.txt", "b.txt"))
		w.isGone("a.txt")
		w.reads("b.txt", "of the remote")
	})
	w.notServed("a.txt")
	w.served("b.txt", "of the remote")
}

func renameDir(w *world) {
	w.serve("d/a.txt", "of the remote")
	w.serve("d/e/b.txt", "of the remote")
	w.queues(func() {
		require.NoError(w, w.fs.Rename("d", "n"))
		w.isGone("d")
		w.reads("n/e/b.txt", "of the remote")
		w.write("n/c.txt", "written")
	})
	w.notServed("d")
	w.served("n/a.txt", "of the remote")
	w.served("n/e/b.txt", "of the remote")
	w.served("n/c.txt", "written")
}

func renameOver(w *world) {
	w.serve("a.txt", "a")
	w.serve("b.txt", "b")
	w.queues(func() {
		require.NoError(w, w.fs.Rename("a.txt", "b.txt"))
		w.isGone("a.txt")
		w.reads("b.txt", "a")
	})
	w.notServed("a.txt")
	w.served("b.txt", "a")
}

func chmod(w *world) {
	w.serve("a.txt", "of the remote")
	w.queues(func() {
		require.NoError(w, w.fs.Chmod("a.txt", 0o640))
		require.Equal(w, fs.FileMode(0o640), w.stat(w.fs, "a.txt").Mode())
	})
	require.Equal(w, fs.FileMode(0o640), w.stat(w.remote.look, "a.txt").Mode())
}

func chtimes(w *world) {
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	w.serve("a.txt", "of the remote")
	w.queues(func() {
		require.NoError(w, w.fs.Chtimes("a.txt", when, when))
		require.True(w, w.stat(w.fs, "a.txt").ModTime().Equal(when))
	})
	require.True(w, w.stat(w.remote.look, "a.txt").ModTime().Equal(when))
}

func symlink(w *world) {
	if !w.remote.links {
		// The view has links all the same; a remote that has none refuses them, which Push reports.
		require.NoError(w, w.fs.SymlinkIfPossible("a.txt", "link"))
		_, err := w.fs.Push(w.Context())
		require.ErrorIs(w, err, afero.ErrNoSymlink)
		require.Equal(w, []string{"link"}, names(w.fs.Pending()))
		return
	}
	w.serve("a.txt", "of the remote")
	w.queues(func() {
		require.NoError(w, w.fs.SymlinkIfPossible("a.txt", "link"))
		target, err := w.fs.ReadlinkIfPossible("link")
		require.NoError(w, err)
		require.Equal(w, "a.txt", target)
		w.reads("link", "of the remote")
	})
	target, err := w.remote.look.(afero.LinkReader).ReadlinkIfPossible("link")
	require.NoError(w, err)
	require.Equal(w, "a.txt", target)
}

// TestMissingLocalRoot: a wrong path must not turn into an empty directory.
func TestMissingLocalRoot(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	_, err := syncfs.New(afero.NewMemMapFs(), afero.NewBasePathFs(afero.NewOsFs(), missing), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, missing)
	require.NoDirExists(t, missing)
}

// open starts the program on a remote.
func (w *world) open(remote afero.Fs) {
	w.Helper()
	var err error
	w.fs, err = syncfs.New(remote, w.local, nil)
	require.NoError(w, err)
}

// reopen ends the program and starts it again, on this remote.
func (w *world) reopen(remote afero.Fs) {
	w.Helper()
	require.NoError(w, w.fs.Close())
	w.open(remote)
}

// serve and place put a file on the remote and into the local directory, past the Fs.
func (w *world) serve(name, text string) { w.Helper(); w.put(w.remote.look, name, text) }
func (w *world) place(name, text string) { w.Helper(); w.put(w.local, name, text) }

func (w *world) put(tree afero.Fs, name, text string) {
	w.Helper()
	require.NoError(w, tree.MkdirAll(path.Dir(name), 0o755))
	require.NoError(w, afero.WriteFile(tree, name, []byte(text), 0o644))
}

func (w *world) write(name, text string) {
	w.Helper()
	require.NoError(w, afero.WriteFile(w.fs, name, []byte(text), 0o644))
}

// reads expects this content in the view, served on the remote, copied in the local directory.
func (w *world) reads(name, text string)  { w.Helper(); w.holds(w.fs, name, text) }
func (w *world) served(name, text string) { w.Helper(); w.holds(w.remote.look, name, text) }
func (w *world) copied(name, text string) { w.Helper(); w.holds(w.local, w.localName(name), text) }

// localName is the name of a file in the local directory: to a MemMapFs "a" and "/a" are two names, and a program that
// has named nothing yet may find either.
func (w *world) localName(name string) string {
	if _, err := w.local.Stat(name); err != nil {
		return "/" + name
	}
	return name
}

func (w *world) holds(tree afero.Fs, name, text string) {
	w.Helper()
	got, err := afero.ReadFile(tree, name)
	require.NoError(w, err)
	require.Equal(w, text, string(got), name)
}

func (w *world) isGone(name string)    { w.Helper(); w.lacks(w.fs, name) }
func (w *world) notServed(name string) { w.Helper(); w.lacks(w.remote.look, name) }

func (w *world) lacks(tree afero.Fs, name string) {
	w.Helper()
	_, err := tree.Stat(name)
	require.ErrorIs(w, err, fs.ErrNotExist)
}

func (w *world) stat(tree afero.Fs, name string) fs.FileInfo {
	w.Helper()
	info, err := tree.Stat(name)
	require.NoError(w, err)
	return info
}

// queues expects that what change does is in the queue and not on the remote before Push, and after it the remote
// equals the view.
func (w *world) queues(change func()) {
	w.Helper()
	before := shape(w, w.remote.look)
	change()
	require.NotEmpty(w, w.fs.Pending())
	require.Empty(w, aferotest.Diff(before, shape(w, w.remote.look)), "the remote changed before Push")
	w.push()
}

// push expects that all of the queue is pushed, and that then the remote equals the view but for what is unqueued.
func (w *world) push() {
	w.Helper()
	_, err := w.fs.Push(w.Context())
	require.NoError(w, err)
	require.Empty(w, w.fs.Pending())
	view := shape(w, w.fs)
	for _, name := range w.unqueued {
		require.Contains(w, view, name)
		delete(view, name)
	}
	require.Empty(w, aferotest.Diff(view, shape(w, w.remote.look)), "the remote differs from the view")
}

// shape is a tree without permissions and times, which not every remote and local directory keeps alike.
func shape(t testing.TB, fsys afero.Fs) map[string]aferotest.Entry {
	t.Helper()
	tree, err := aferotest.Tree(fsys)
	require.NoError(t, err)
	for name, entry := range tree {
		entry.Perm, entry.ModTime = 0, time.Time{}
		tree[name] = entry
	}
	return tree
}

func names(changes []syncfs.Change) []string {
	list := make([]string, len(changes))
	for i, change := range changes {
		list[i] = change.Name
	}
	return list
}

// Example is the code of README.md.
func Example() {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	server, err := sftptest.New(nil)
	check(err)
	defer server.Close()
	config := server.Config()
	dir, err := os.MkdirTemp("", "example-")
	check(err)
	defer os.RemoveAll(dir)
	check(os.WriteFile(filepath.Join(dir, "report.csv"), []byte("a,b\n"), 0o644))
	setUp, err := sftpfs.New(config)
	check(err)
	check(afero.WriteFile(setUp, "remote.txt", []byte("hello"), 0o644))
	check(setUp.Close())

	// README: begin
	remote, err := sftpfs.New(config)
	check(err)
	defer remote.Close()
	fs, err := syncfs.New(remote, afero.NewBasePathFs(afero.NewOsFs(), dir), nil)
	check(err)
	defer fs.Close()

	text, err := afero.ReadFile(fs, "remote.txt") // not local: fetched, then read from the local copy
	check(err)
	check(afero.WriteFile(fs, "answer.txt", bytes.ToUpper(text), 0o644)) // local, and queued
	check(fs.Add("report.csv"))                                          // a file that is in dir already
	_, err = fs.Push(ctx)                                                // both are on the server now
	check(err)
	// README: end

	answer, err := afero.ReadFile(remote, "answer.txt")
	check(err)
	report, err := afero.ReadFile(remote, "report.csv")
	check(err)
	fmt.Printf("%s %q\n", answer, report)
	// Output: HELLO "a,b\n"
}

// TestReadmeShowsTheExample keeps the code in README.md the same as the code that runs.
func TestReadmeShowsTheExample(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("syncfs_test.go")
	require.NoError(t, err)
	_, rest, begun := strings.Cut(string(source), "\t// README: begin\n")
	code, _, ended := strings.Cut(rest, "\t// README: end\n")
	require.True(t, begun && ended)
	block := "```go\n" + strings.ReplaceAll(strings.TrimPrefix(code, "\t"), "\n\t", "\n") + "```\n"

	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	require.True(t, strings.Contains(string(readme), block), "README.md does not show:\n%s", block)
}
