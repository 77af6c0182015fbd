package syncfs

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// faulty runs a story on an Fs whose remote or local file system fails, and on a plain directory, the model. A call
// that succeeds is made on both; of one that fails, the view says whether it had its whole effect or none, and it must
// be one of the two.
type faulty struct {
	*testing.T
	model  afero.Fs
	remote afero.Fs // as it is, below the faults
	local  afero.Fs // likewise
	plan   *faultfs.Plan
	kind   remoteKind
	watch  *watch // of all that the remote shows
	sick   bool   // a fault of the local side, not of the remote

	overRemote, overLocal afero.Fs // what the Fs is given
	fs                    *Fs

	failed bool            // some call has failed
	unseen bool            // and may have kept the removal of a copy from being recorded before a restart
	sticky bool            // what failed goes on failing
	unsaid map[string]bool // files whose last write, close or Add failed: Add says that they are to be pushed
}

// side is which of the two file systems fails.
type side bool

const (
	remoteSide side = false
	localSide  side = true
)

// remoteKind is what is special about a remote.
type remoteKind string

const (
	refusesToReplace remoteKind = ", renames refuse existing files"
	quick            remoteKind = ", with short cuts"
	directly         remoteKind = ", delivered directly" // PublishDirect
)

// newFaulty serves the tree that every story starts from, and opens a local directory that is fresh or was opened
// before.
func newFaulty(t *testing.T, plan *faultfs.Plan, s side, fresh bool, kind remoteKind) *faulty {
	r := &faulty{
		T: t, plan: plan, kind: kind, sick: bool(s), unsaid: map[string]bool{},
		model: aferotest.OS(t.TempDir()), remote: aferotest.OS(t.TempDir()), local: crashfs.New(nil),
	}
	for _, p := range plan.Pending() {
		r.sticky = r.sticky || p.Sticky
	}
	if kind == refusesToReplace {
		r.remote = neverReplacing{r.remote.(refusable)}
	}
	seed(t, r.model)
	seed(t, r.remote)
	r.overRemote, r.overLocal = r.remote, r.local
	if !fresh {
		r.start()
		require.NoError(t, r.fs.Close())
	}
	if s == localSide {
		r.overLocal = faultfs.New(r.local, plan)
	} else {
		r.overRemote = faultfs.New(r.remote, plan)
	}
	r.watch = newWatch(t, r.overRemote.(refusable), r.remote, kind == directly)
	r.watch.repeats = r.sick
	r.overRemote = r.watch
	if kind == quick {
		r.overRemote = remotetest.Quick(r.overRemote)
	}
	r.start()
	return r
}

func seed(t *testing.T, fsys afero.Fs) {
	t.Helper()
	old := time.Unix(1_700_000_000, 123_000_000)
	for _, dir := range []string{"/d", "/d/sub", "/e", "/void"} {
		require.NoError(t, fsys.Mkdir(dir, 0o755))
	}
	for name, text := range map[string]string{
		"/a.txt": "alpha", "/b.txt": "beta, the second", "/c.txt": "gamma is the third one", "/d/x.txt": "ex",
		"/d/y.txt": "why, oh why", "/d/sub/z.txt": "zed", "/e/one": "1", "/e/two": "two",
	} {
		require.NoError(t, afero.WriteFile(fsys, name, []byte(text), 0o644))
		require.NoError(t, fsys.Chtimes(name, old, old))
	}
	require.NoError(t, fsys.(afero.Linker).SymlinkIfPossible("a.txt", "/link"))
}

type refusable interface {
	afero.Fs
	afero.Symlinker
}

// neverReplacing is a remote that renames over nothing.
type neverReplacing struct{ refusable }

func (r neverReplacing) Rename(oldname, newname string) error {
	if _, _, err := r.LstatIfPossible(newname); err == nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: fs.ErrExist}
	}
	return r.refusable.Rename(oldname, newname)
}

// start opens the Fs. If the fault prevents that, it is tried again without.
func (r *faulty) start() {
	r.Helper()
	// One step at a time, so that an index means the same operation in each run.
	opts := &Options{Cache: cachefs.Options{Parallel: 1}}
	if r.kind == directly {
		opts.Publish = PublishDirect
	}
	s, err := New(r.overRemote, r.overLocal, trying(opts))
	if err != nil {
		r.isFault("New", err)
		r.plan.Heal()
		s, err = New(r.overRemote, r.overLocal, trying(opts))
	}
	require.NoError(r, err)
	require.NoError(r, s.Damage())
	s.block = 10_000 // so that uploads go on
	r.fs = s
	r.unseen = r.failed
}

// restart closes the Fs and opens it anew.
func (r *faulty) restart() {
	r.Helper()
	if err := r.fs.Close(); err != nil {
		r.isFault("Close", err)
	}
	r.start()
}

// mended opens the Fs anew if its log is broken: then it does nothing more until that is done.
func (r *faulty) mended() {
	r.Helper()
	if err := r.fs.m.SyncLog(); err != nil {
		r.isFault("log", err)
		r.restart()
	}
}

// counted requires that the bytes in use are those of the copies and parts that are on the disk.
func (r *faulty) counted(when string) {
	r.Helper()
	if r.fs == nil || r.unseen || r.fs.m.Do(func(*mirror.View) error { return nil }) == fs.ErrClosed {
		return
	}
	require.EventuallyWithT(r, func(c *assert.CollectT) { // what was given up may be about to be deleted
		want, err := aferotest.Used(r.local, localdir.PartialDir, r.owned)
		require.NoError(c, err)
		require.Equal(c, want, r.fs.Stats().UsedBytes, "used bytes after: %s", when)
	}, 10*time.Second, time.Millisecond)
}

func (r *faulty) owned(name string) (owned bool) {
	_ = r.fs.m.Do(func(v *mirror.View) error {
		n := v.Tree().Lookup(name)
		owned = n != nil && n.Content() == tree.Owned
		return nil
	})
	return owned
}

// isFault requires that an error is one of the injected fault, and says so.
func (r *faulty) isFault(what string, err error) {
	r.Helper()
	r.counted(what)
	r.failed = true
	require.ErrorIs(r, err, faultfs.ErrInjected, what)
	require.NotErrorIs(r, err, fs.ErrNotExist, what)
	require.NotErrorIs(r, err, ErrConflict, what)
	if !r.sick {
		require.ErrorIs(r, err, ErrUnavailable, what)
	}
}

// healthy makes a look without faults.
func (r *faulty) healthy(look func()) {
	r.Helper()
	r.plan.Heal()
	r.mended()
	look()
	if r.sticky {
		r.plan.Offline(faultfs.ErrInjected)
	}
}

// call makes a call on both sides.
func (r *faulty) call(what string, do func(afero.Fs) error) {
	r.Helper()
	err := do(r.fs)
	switch {
	case err == nil:
		require.NoError(r, do(r.model), "%s succeeded; the model", what)
	case r.failed && !errors.Is(err, faultfs.ErrInjected): // as a consequence of what failed before
		wanted := do(r.model)
		require.Error(r, wanted, "%s: %v; the model succeeds", what, err)
		for _, kind := range []error{fs.ErrNotExist, fs.ErrExist} {
			require.Equal(r, errors.Is(wanted, kind), errors.Is(err, kind), "%s: %v, want %v", what, err, wanted)
		}
	default:
		r.isFault(what, err)
		r.healthy(func() { r.allOrNothing(what, err, do) })
	}
}

// allOrNothing finds out whether a call that failed has had its effect.
func (r *faulty) allOrNothing(what string, err error, do func(afero.Fs) error) {
	r.Helper()
	got := shape(r, r.fs)
	nothing := aferotest.Diff(shape(r, r.model), got)
	if nothing == "" {
		return
	}
	require.NoError(r, do(r.model), "%s: %v; the view is not as before:\n%s\nthe model", what, err, nothing)
	require.Empty(r, aferotest.Diff(shape(r, r.model), got), "%s: %v; done in part", what, err)
}

// shape is a tree without the contents of files, which it would take a fetch to see.
func shape(t testing.TB, fsys afero.Fs) map[string]aferotest.Entry {
	t.Helper()
	tree := map[string]aferotest.Entry{}
	var walk func(dir string)
	walk = func(dir string) {
		infos, err := afero.ReadDir(fsys, "/"+dir)
		require.NoError(t, err)
		for _, fi := range infos {
			name := dir + fi.Name()
			e := aferotest.Entry{Type: fi.Mode().Type(), Perm: fi.Mode().Perm()}
			switch e.Type {
			case 0:
				e.Size = fi.Size()
			case fs.ModeDir:
				walk(name + "/")
			case fs.ModeSymlink:
				e.Perm = 0
				e.Target, err = fsys.(afero.LinkReader).ReadlinkIfPossible("/" + name)
				require.NoError(t, err)
			}
			tree[name] = e
		}
	}
	walk("")
	return tree
}
