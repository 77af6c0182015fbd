package syncfs

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/lateremote"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
)

// lateWorld is an Fs whose remote executes a request late, and the model of what a program that makes the same calls sees.
type lateWorld struct {
	*testing.T
	store *store
	line  *lateremote.Line
	disk  *crashfs.Fs
	kind  lateKind
	fs    *Fs
	*model
	length int // of the text made last: no two are of one length
}

// lateKind is what is special about a remote.
type lateKind struct{ replaces, quick, direct bool }

var lateKinds = []lateKind{{true, false, false}, {false, false, false}, {true, true, false}, {false, true, false},
	{true, true, true}, {true, false, true}}

func (k lateKind) String() string {
	s := map[bool]string{true: "replacing", false: "not replacing"}[k.replaces]
	return s + map[bool]string{true: ", with short cuts"}[k.quick] + map[bool]string{true: ", delivered directly"}[k.direct]
}

func newLateWorld(t *testing.T, kind lateKind) *lateWorld {
	w := &lateWorld{T: t, store: newStore(kind.replaces, nil), line: new(lateremote.Line), disk: crashfs.New(nil), kind: kind}
	for _, dir := range []string{"/d", "/e"} {
		require.NoError(t, w.store.Fs.Mkdir(dir, 0o755))
	}
	for _, name := range []string{"a", "b", "d/a"} {
		require.NoError(t, w.store.serve(name, w.text(), 1_000_000_000))
	}
	require.NoError(t, w.store.SymlinkIfPossible("nowhere", "/l"))
	w.model = settled(w.store.tree())
	w.open()
	return w
}

func (w *lateWorld) open() {
	w.Helper()
	remote := afero.Fs(coarse{w.store})
	if w.kind.quick {
		remote = lateremote.Quick(remotetest.Quick(remote).(lateremote.Base), w.line)
	} else {
		remote = lateremote.New(remote, w.line)
	}
	opts := &Options{RetryFor: time.Second}
	if w.kind.direct {
		opts.Publish = PublishDirect
	}
	opts.Cache.Parallel = 1 // so that an index means the same operation in each run
	s, err := New(remote, w.disk, opts)
	require.NoError(w, err)
	require.NoError(w, s.Damage())
	w.fs = s
}

func (w *lateWorld) reopen() {
	w.Helper()
	require.NoError(w, w.fs.Close())
	w.open()
}

func (w *lateWorld) end() {
	w.Helper()
	w.line.Decide(nil)
	w.line.DeliverAll()
	require.NoError(w, w.fs.Close())
}

func (w *lateWorld) text() string {
	w.length += 7
	text := strings.Repeat(fmt.Sprintf("<%d>", w.length), w.length)[:w.length]
	w.store.commit(text)
	if w.kind.direct {
		for n := range text {
			w.store.allow(text[:n])
		}
	}
	return text
}

// The calls that stories are told with are made on both sides.

func (w *lateWorld) write(name string) {
	w.Helper()
	text := w.text()
	require.NoError(w, afero.WriteFile(w.fs, name, []byte(text), 0o644))
	w.written(name, text)
}

func (w *lateWorld) both(name string, onFs, onModel error) {
	w.Helper()
	require.NoError(w, onFs, name)
	require.NoError(w, onModel, name)
}

func (w *lateWorld) drop(name string) {
	w.Helper()
	w.both(name, w.fs.RemoveAll(name), w.removeAll(name))
}

func (w *lateWorld) move(from, to string) {
	w.Helper()
	w.both(from, w.fs.Rename(from, to), w.rename(from, to))
}

func (w *lateWorld) makeDir(name string) {
	w.Helper()
	w.both(name, w.fs.Mkdir(name, 0o755), w.mkdir(name, 0o755))
}

func (w *lateWorld) link(name, target string) {
	w.Helper()
	w.both(name, w.fs.SymlinkIfPossible(target, name), w.symlink(target, name))
}

func (w *lateWorld) setMode(name string, perm fs.FileMode) {
	w.Helper()
	w.both(name, w.fs.Chmod(name, perm), w.chmod(name, perm))
}

func (w *lateWorld) setTime(name string, seconds int64) {
	w.Helper()
	w.both(name, w.fs.Chtimes(name, unix(seconds), unix(seconds)), w.chtimes(name, seconds))
}

// pushes pushes until there is no error. No error may be a conflict: nobody else is there.
func (w *lateWorld) pushes() {
	w.Helper()
	var err error
	for range 8 {
		if _, err = w.fs.Push(context.Background()); err == nil {
			require.Empty(w, w.fs.Pending())
			return
		}
		require.NotErrorIs(w, err, ErrConflict)
		require.ErrorIs(w, err, ErrUnavailable)
	}
	require.NoError(w, err)
}

// same requires that the remote and the view are what the model is.
func (w *lateWorld) same() {
	w.Helper()
	require.Empty(w, w.diff(w.store.tree(), ""), "the remote")
	require.Empty(w, w.store.temporary())
	require.Empty(w, w.store.seen())
	require.Empty(w, w.diff(w.shown(), ""), "the view")
}

// shown is what the program sees.
func (w *lateWorld) shown() map[string]entry {
	w.Helper()
	all := map[string]entry{}
	var walk func(dir string)
	walk = func(dir string) {
		infos, err := afero.ReadDir(w.fs, "/"+dir)
		require.NoError(w, err)
		for _, fi := range infos {
			name := path.Join(dir, fi.Name())
			e := entry{typ: fi.Mode().Type(), perm: fi.Mode().Perm(), mtime: fi.ModTime().Unix()}
			switch e.typ {
			case fs.ModeDir:
				walk(name)
			case fs.ModeSymlink:
				e.perm = 0
				e.text, err = w.fs.ReadlinkIfPossible(name)
			default:
				var text []byte
				text, err = afero.ReadFile(w.fs, name)
				e.text = string(text)
			}
			require.NoError(w, err, name)
			all[name] = e
		}
	}
	walk("")
	return all
}
