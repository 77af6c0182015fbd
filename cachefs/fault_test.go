package cachefs

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// faulty runs a story on an Fs whose remote or local file system fails. The remote itself is the model: whatever became
// of a call that failed, what the program sees is what is there.
type faulty struct {
	*testing.T
	remote, local         afero.Fs // below the faults
	overRemote, overLocal afero.Fs
	plan                  *faultfs.Plan
	remoteFails           bool
	fs                    *Fs
	unseen                bool // a fault may have kept the removal of a copy from being recorded before a restart
}

func newFaulty(t *testing.T, plan *faultfs.Plan, remoteFails bool) *faulty {
	r := &faulty{T: t, plan: plan, remoteFails: remoteFails, remote: aferotest.OS(t.TempDir()), local: crashfs.New(nil)}
	old := time.Unix(1_700_000_000, 123_000_000)
	require.NoError(t, r.remote.MkdirAll("/d/sub", 0o755))
	for _, name := range []string{"/a", "/b", "/d/c", "/d/sub/e"} {
		require.NoError(t, afero.WriteFile(r.remote, name, []byte("content of "+name), 0o644))
		require.NoError(t, r.remote.Chtimes(name, old, old))
	}
	require.NoError(t, r.remote.(afero.Linker).SymlinkIfPossible("a", "/link"))
	r.overRemote, r.overLocal = r.remote, faultfs.New(r.local, plan)
	if remoteFails {
		r.overRemote, r.overLocal = faultfs.New(r.remote, plan), r.local
	}
	r.start()
	return r
}

func (r *faulty) start() {
	r.Helper()
	// The remote is asked each time: a change whose outcome is not known is to be seen.
	opts := &Options{Revalidate: Always, Parallel: 1}
	c, err := New(r.overRemote, r.overLocal, opts)
	if err != nil {
		r.fault("New", err)
		r.plan.Heal()
		c, err = New(r.overRemote, r.overLocal, opts)
	}
	require.NoError(r, err)
	require.NoError(r, c.Damage())
	r.fs = c
	r.unseen = len(r.plan.Fired()) > 0
}

// counted requires that the bytes in use are those of the copies and parts that are on the disk.
func (r *faulty) counted(when string) {
	r.Helper()
	if r.unseen || r.fs.m.Do(func(*mirror.View) error { return nil }) == fs.ErrClosed {
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

// fault requires that an error, if it is one, is that of the fault.
func (r *faulty) fault(what string, err error) {
	r.Helper()
	if r.fs != nil {
		r.counted(what)
	}
	if err == nil {
		return
	}
	require.ErrorIs(r, err, faultfs.ErrInjected, what)
	require.NotErrorIs(r, err, fs.ErrNotExist, what)
	if r.remoteFails {
		require.ErrorIs(r, err, ErrUnavailable, what)
	}
}

// call makes a call that may fail by the fault, or because an earlier one did: then the remote says the same.
func (r *faulty) call(what string, do func(afero.Fs) error) {
	r.Helper()
	err := do(r.fs)
	if err != nil && !errors.Is(err, faultfs.ErrInjected) && len(r.plan.Fired()) > 0 {
		wanted := do(r.remote)
		require.Error(r, wanted, "%s: %v; the remote succeeds", what, err)
		require.Equal(r, errors.Is(wanted, fs.ErrNotExist), errors.Is(err, fs.ErrNotExist), "%v, want %v", err, wanted)
		return
	}
	r.fault(what, err)
}

func (r *faulty) read(name string) {
	r.Helper()
	r.call("read "+name, func(f afero.Fs) error {
		got, err := afero.ReadFile(f, name)
		if err == nil {
			want, err := afero.ReadFile(r.remote, name)
			require.NoError(r, err)
			require.Equal(r, string(want), string(got), name)
		}
		return err
	})
}

func (r *faulty) write(name, text string) {
	r.Helper()
	r.call("write "+name, func(f afero.Fs) error { return afero.WriteFile(f, name, []byte(text), 0o644) })
}

// tell makes the calls.
func (r *faulty) tell() {
	r.read("/a")
	r.read("/d/c")
	r.write("/a", "written through the cache")
	r.read("/a")
	r.write("/new", "made")
	r.call("mkdir", func(f afero.Fs) error { return f.Mkdir("/made", 0o755) })
	r.call("mkdirall", func(f afero.Fs) error { return f.MkdirAll("/made/x/y", 0o755) })
	r.call("rename", func(f afero.Fs) error { return f.Rename("/a", "/d/a") })
	r.read("/d/a")
	r.call("rename over", func(f afero.Fs) error { return f.Rename("/new", "/d/c") })
	r.read("/d/c")
	r.call("rename dir", func(f afero.Fs) error { return f.Rename("/d", "/moved") })
	r.read("/moved/sub/e")
	r.call("chtimes", func(f afero.Fs) error { return f.Chtimes("/b", time.Time{}, time.Unix(1_600_000_000, 0)) })
	r.call("chmod", func(f afero.Fs) error { return f.Chmod("/b", 0o600) })
	r.read("/b")
	r.fault("evict", r.fs.Evict("/b"))
	_, err := r.fs.Pull(r.Context(), "/")
	r.fault("pull", err)
	if err := r.fs.Close(); err != nil {
		r.fault("close", err)
	}
	r.start()
	r.read("/b")
	r.call("remove", func(f afero.Fs) error { return f.Remove("/b") })
	r.call("removeall", func(f afero.Fs) error { return f.RemoveAll("/moved") })
	r.call("symlink", func(f afero.Fs) error { return f.(afero.Linker).SymlinkIfPossible("made", "/l") })
}

// end requires that the view is the remote, now and after a restart, and that nothing is left open or lying about.
func (r *faulty) end() {
	r.Helper()
	r.plan.Heal()
	r.counted("at the end")
	if r.viewed() != nil { // a log that a fault has broken
		require.False(r, r.remoteFails)
	}
	_ = r.fs.Close()
	require.Empty(r, r.plan.OpenFiles())
	r.start()
	require.NoError(r, r.viewed())
	r.counted("after a restart")
	require.NoError(r, r.fs.Close())
	require.Empty(r, r.plan.OpenFiles())
	for _, dir := range []string{localdir.TmpDir, localdir.TrashDir} {
		left, err := afero.ReadDir(r.local, dir)
		require.NoError(r, err)
		require.Empty(r, left, dir)
	}
	files, err := aferotest.Tree(r.local)
	require.NoError(r, err)
	served, err := aferotest.Tree(r.remote)
	require.NoError(r, err)
	for name, e := range files {
		if e.Type == 0 && name[0] != '.' {
			require.Equal(r, served[name].Content, e.Content, "the local copy of "+name)
		}
	}
}

// viewed compares the view with the remote. The error is that the Fs does not work.
func (r *faulty) viewed() error {
	r.Helper()
	got, err := aferotest.Tree(r.fs)
	if errors.Is(err, faultfs.ErrInjected) {
		return err
	}
	require.NoError(r, err)
	want, err := aferotest.Tree(r.remote)
	require.NoError(r, err)
	require.Empty(r, aferotest.Diff(want, got), "the view")
	r.unseen = false
	return nil
}

// Whichever operation of the remote or of the local file system fails, a call fails with that error or succeeds, what
// the program sees is what the remote has, and nothing is left behind.
func TestFault(t *testing.T) {
	once := []faultfs.Fault{{}, {Effect: faultfs.Whole}, {Sticky: true}}
	if os.Getenv("SYNCFS_FULL") == "1" {
		once = append(once, faultfs.Fault{Effect: faultfs.Part}, faultfs.Fault{Sticky: true, Effect: faultfs.Whole})
	}
	t.Run("remote", func(t *testing.T) {
		t.Parallel()
		faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
			r := newFaulty(t, p, true)
			r.tell()
			r.end()
		}, once...)
	})
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
			r := newFaulty(t, p, false)
			r.tell()
			r.end()
		}, faultfs.Fault{}, faultfs.Fault{Sticky: true})
	})
}
