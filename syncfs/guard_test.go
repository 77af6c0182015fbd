package syncfs

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
)

// lateRemote does not answer one of the calls that change it, and carries that call out when the test says so.
type lateRemote struct {
	coarse
	replaces bool // by rename

	mu   sync.Mutex // guards the following
	hold int        // how many calls to answer before the one that is kept
	kept func()
}

// late keeps a call, or makes it.
func (l *lateRemote) late(do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hold--; l.hold != -1 {
		return do()
	}
	l.kept = func() { _ = do() }
	return errDown
}

// release carries out the call that was kept.
func (l *lateRemote) release() (came bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept != nil {
		l.kept()
	}
	return l.kept != nil
}

func (l *lateRemote) Mkdir(name string, perm fs.FileMode) error {
	return l.late(func() error { return l.Fs.Mkdir(name, perm) })
}

func (l *lateRemote) Remove(name string) error {
	return l.late(func() error { return l.Fs.Remove(name) })
}

func (l *lateRemote) Rename(oldname, newname string) error {
	return l.late(func() error {
		if _, err := l.Stat(newname); err == nil && !l.replaces {
			return fs.ErrExist
		}
		return l.Fs.Rename(oldname, newname)
	})
}

func (l *lateRemote) Chmod(name string, mode fs.FileMode) error {
	return l.late(func() error { return l.Fs.Chmod(name, mode) })
}

func (l *lateRemote) Chtimes(name string, atime, mtime time.Time) error {
	return l.late(func() error { return l.Fs.Chtimes(name, atime, mtime) })
}

func (l *lateRemote) SymlinkIfPossible(oldname, newname string) error {
	return l.late(func() error { return l.coarse.SymlinkIfPossible(oldname, newname) })
}

func (l *lateRemote) OpenFile(name string, flag int, perm fs.FileMode) (f afero.File, err error) {
	if flag&os.O_CREATE == 0 {
		return l.coarse.OpenFile(name, flag, perm)
	}
	err = l.late(func() error {
		f, err = l.coarse.OpenFile(name, flag, perm)
		return err
	})
	if err == errDown {
		return nil, err
	}
	return f, err
}

// pushAll pushes until nothing is left.
func (r *rig) pushAll() {
	r.Helper()
	var err error
	for range 10 {
		if _, err = r.push(); err == nil {
			return
		}
	}
	require.NoError(r, err)
}

// What others remove is gone, also where a request of this side that changes attributes may still be carried out.
func TestLateAttributesDoNotExplainARemoval(t *testing.T) {
	t.Parallel()
	remote := &lateRemote{coarse: coarse{aferotest.OS(t.TempDir())}}
	r := &rig{TB: t, remote: remote.Fs, local: realDir(t)}
	var err error
	r.fs, err = New(remote, r.local, trying(&Options{Cache: cachefs.Options{Revalidate: cachefs.Always}}))
	require.NoError(t, err)
	defer func() { require.NoError(t, r.fs.Close()) }()
	r.serve("d/f")
	r.fetch("d/f")
	require.NoError(t, r.fs.Chmod("d/f", 0o600))
	remote.mu.Lock()
	remote.hold = 0
	remote.mu.Unlock()
	_, err = r.push()
	require.ErrorIs(t, err, ErrUnavailable)
	r.pushAll()
	require.NoError(t, r.remote.RemoveAll("d"))
	_, err = r.fs.Stat("d")
	require.ErrorIs(t, err, fs.ErrNotExist)
	r.pushAll()
	_, err = r.remote.Stat("d")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// A request that is not answered, and carried out after everything has been pushed, and more, is undone by the next Push.
func TestARequestThatIsCarriedOutLateIsUndone(t *testing.T) {
	t.Parallel()
	first := func(r *rig) {
		r.write("over:two", "new", "moved/x")
		require.NoError(r, r.fs.Remove("gone"))
		require.NoError(r, r.fs.Rename("from", "to"))
		require.NoError(r, r.fs.Rename("here", "onto"))
		require.NoError(r, r.fs.Mkdir("made", 0o755))
		require.NoError(r, r.fs.Remove("empty"))
		require.NoError(r, r.fs.Chmod("mode", 0o600))
		require.NoError(r, r.fs.Chtimes("time", time.Unix(1e9, 0), time.Unix(1e9, 0)))
		require.NoError(r, r.fs.SymlinkIfPossible("over", "link"))
	}
	stories := map[string]func(r *rig){
		"nothing more": func(r *rig) {},
		"the same again": func(r *rig) {
			r.write("over:three", "gone:again", "from:again", "here:again")
			require.NoError(r, r.fs.Mkdir("empty", 0o755))
			require.NoError(r, r.fs.Chmod("mode", 0o640))
			require.NoError(r, r.fs.Chtimes("time", time.Unix(2e9, 0), time.Unix(2e9, 0)))
		},
		"all back": func(r *rig) {
			r.write("over:one")
			for _, name := range []string{"new", "moved/x", "moved", "made", "link"} {
				require.NoError(r, r.fs.Remove(name))
			}
			require.NoError(r, r.fs.Rename("to", "from"))
			require.NoError(r, r.fs.Rename("onto", "here"))
			require.NoError(r, r.fs.Chmod("mode", 0o644))
		},
		"all gone": func(r *rig) {
			for _, name := range []string{"over", "new", "moved", "to", "onto", "made", "mode", "time", "link"} {
				require.NoError(r, r.fs.RemoveAll(name))
			}
		},
	}
	for name, story := range stories {
		for _, replaces := range []bool{true, false} {
			for _, reopen := range []bool{false, true} {
				for _, fetched := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, replaces %v, reopened %v, fetched %v", name, replaces, reopen, fetched), func(t *testing.T) {
						t.Parallel()
						for i := 0; lateStory(t, i, replaces, reopen, fetched, first, story); i++ {
						}
					})
				}
			}
		}
	}
}

func lateStory(t *testing.T, hold int, replaces, reopen, fetched bool, first, then func(*rig)) (came bool) {
	t.Helper()
	remote := &lateRemote{coarse: coarse{aferotest.OS(t.TempDir())}, replaces: replaces, hold: 1 << 30}
	r := &rig{TB: t, remote: remote.Fs, local: realDir(t)}
	open := func() {
		var err error
		r.fs, err = New(remote, r.local, &Options{RetryFor: -1}) // what was listed before is used again
		require.NoError(t, err)
	}
	again := func() {
		if reopen {
			require.NoError(t, r.fs.Close())
			open()
		}
	}
	open()
	defer func() { require.NoError(t, r.fs.Close()) }()
	r.serve("over:one", "gone", "from", "here", "onto:old", "empty/", "mode", "time")
	if fetched {
		r.fetch("over", "gone", "from", "here", "onto", "mode", "time")
	}
	first(r)
	remote.mu.Lock()
	remote.hold = hold
	remote.mu.Unlock()
	if _, err := r.push(); err != nil {
		again()
		r.pushAll()
	}
	again()
	then(r)
	r.pushAll()
	again()
	came = remote.release()
	shown, err := afero.ReadDir(r.fs, "/")
	require.NoError(t, err)
	for _, fi := range shown {
		require.NotContains(t, fi.Name(), " (replaced ", "call %d", hold)
	}
	r.pushAll()
	require.Empty(t, r.fs.Pending())
	want, err := aferotest.Tree(r.fs)
	require.NoError(t, err)
	got, err := aferotest.Tree(remote.coarse)
	require.NoError(t, err)
	for _, tree := range []map[string]aferotest.Entry{want, got} {
		for name, e := range tree {
			if e.Type == fs.ModeDir {
				e.ModTime = time.Time{}
			}
			e.ModTime = e.ModTime.Truncate(time.Second)
			tree[name] = e
		}
	}
	require.Empty(t, aferotest.Diff(want, got), "call %d", hold)
	return came
}

// Of a file of which there is no copy here, a request that is carried out late takes nothing away from the program either, as
// long as it is somewhere on the remote.
func TestAFileThatIsMovedLateIsRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hold int // of the changing requests, the first is 0
		tell func(r *rig)
	}{
		"renamed": {0, func(r *rig) {
			require.NoError(r, r.fs.Rename("f", "n"))
			r.pushAll()
			require.NoError(r, r.fs.Rename("n", "f"))
		}},
		"moved aside": {1, func(r *rig) { require.NoError(r, r.fs.Rename("g", "f")) }},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted %v", name, restart), func(t *testing.T) {
				t.Parallel()
				remote := &lateRemote{coarse: coarse{aferotest.OS(t.TempDir())}, hold: c.hold}
				r := &rig{TB: t, remote: remote.Fs, local: realDir(t)}
				open := func() {
					var err error
					r.fs, err = New(remote, r.local, &Options{RetryFor: -1, Cache: cachefs.Options{Revalidate: cachefs.Always, ListTTL: -1}})
					require.NoError(t, err)
				}
				open()
				defer func() { require.NoError(t, r.fs.Close()) }()
				r.serve("f:the same", "g:the same")
				c.tell(r)
				r.pushAll()
				if restart {
					require.NoError(t, r.fs.Close())
					open()
				}
				require.True(t, remote.release())
				infos, err := afero.ReadDir(r.fs, "/")
				require.NoError(t, err)
				require.Equal(t, "f", infos[0].Name())
				text, err := afero.ReadFile(r.fs, "f")
				require.NoError(t, err)
				require.Equal(t, "the same", string(text))
				r.pushAll()
				text, err = afero.ReadFile(r.remote, "f")
				require.NoError(t, err)
				require.Equal(t, "the same", string(text))
			})
		}
	}
}

// A guard does not end unseen: as long as the remote refuses to say what it has under the name, a late request is still undone.
func TestGuardOutlastsRefusedLooks(t *testing.T) {
	t.Parallel()
	remote := &lateRemote{coarse: coarse{aferotest.OS(t.TempDir())}, replaces: true, hold: 1 << 30}
	plan, ahead := new(faultfs.Plan), time.Duration(0)
	r := &rig{TB: t, remote: remote.Fs, local: realDir(t)}
	var err error
	r.fs, err = New(faultfs.New(remote, plan), r.local,
		trying(&Options{Cache: cachefs.Options{Now: func() time.Time { return time.Now().Add(ahead) }}}))
	require.NoError(t, err)
	defer func() { require.NoError(t, r.fs.Close()) }()
	guards := func() (n int) {
		require.NoError(t, r.fs.m.Do(func(v *mirror.View) error {
			n = len(v.Tree().Guards())
			return nil
		}))
		return n
	}
	r.serve("x")
	require.NoError(t, r.fs.Remove("x"))
	remote.hold = 0
	r.fails(ErrUnavailable)
	r.write("x:again")
	r.pushAll()
	require.Equal(t, 1, guards())
	plan.Before(func(op faultfs.Op) error {
		if op.Name == "/x" {
			return fs.ErrPermission
		}
		return nil
	})
	for range 2 {
		ahead += 2 * guardFor
		require.NoError(t, second(r.push()))
	}
	require.True(t, remote.release())
	plan.Heal()
	r.pushAll()
	r.has(r.served(), "x:again")
	require.Zero(t, guards())
}
