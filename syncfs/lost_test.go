package syncfs

import (
	"io"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
)

const logFile = ".syncfs/log"

// losses are what may happen to the log of a directory that was used.
var losses = map[string]func(r *rig){
	"missing":         func(r *rig) { require.NoError(r, r.local.Remove(logFile)) },
	"emptied":         func(r *rig) { r.cutLog(0) },
	"header only":     func(r *rig) { r.cutLog(16) },
	"cut in a record": func(r *rig) { r.cutLog(40) },
	"half": func(r *rig) {
		fi, err := r.local.Stat(logFile)
		require.NoError(r, err)
		r.cutLog(fi.Size() / 2)
	},
	"zeros": func(r *rig) { require.NoError(r, afero.WriteFile(r.local, logFile, make([]byte, 100), 0o600)) },
	"an older one": func(r *rig) {
		require.NoError(r, afero.WriteFile(r.local, logFile, r.oldLog, 0o600))
	},
}

func (r *rig) cutLog(size int64) {
	r.Helper()
	f, err := r.local.OpenFile(logFile, os.O_RDWR, 0)
	require.NoError(r, err)
	require.NoError(r, f.Truncate(size))
	require.NoError(r, f.Close())
}

// A log that is missing, emptied or cut is reported, once, and an edit of what was a copy does not overwrite what others
// have made of the remote's file since.
func TestLogLost(t *testing.T) {
	t.Parallel()
	for loss, lose := range losses {
		for name, change := range map[string]func(r *rig){
			"truncate":         func(r *rig) { r.write("x:anew") },
			"append":           func(r *rig) { r.append("x", "+") },
			"remove":           func(r *rig) { require.NoError(r, r.fs.Remove("x")) },
			"rename":           func(r *rig) { require.NoError(r, r.fs.Rename("x", "n")) },
			"replace":          func(r *rig) { r.write("t"); require.NoError(r, r.fs.Rename("t", "x")) },
			"write, rename":    func(r *rig) { r.append("x", "+"); require.NoError(r, r.fs.Rename("x", "n")) },
			"write, remove":    func(r *rig) { r.append("x", "+"); require.NoError(r, r.fs.Remove("x")) },
			"write while away": func(r *rig) { r.down(); r.write("x:anew"); r.up() },
		} {
			for _, theirs := range []bool{false, true} {
				t.Run(loss+", "+name, func(t *testing.T) {
					t.Parallel()
					r := newRig(t, nil)
					r.serve("x", "y")
					r.fetch("y")
					require.NoError(t, r.fs.Close())
					r.readLog()
					r.start()
					r.fetch("x")
					require.NoError(t, r.fs.Close())
					lose(r)
					r.start()
					require.Error(t, r.fs.Damage())
					r.reads("x", "x")
					if theirs {
						r.serve("x:theirs, newer")
					} else {
						r.serve("x") // with another time
					}
					r.restart()
					require.NoError(t, r.fs.Damage())
					change(r)
					if !theirs {
						r.pushes()
						return
					}
					r.fails(ErrConflict)
					require.Equal(t, "theirs, newer", r.served()["x"].Content)
				})
			}
		}
	}
}

func (r *rig) readLog() {
	r.Helper()
	f, err := r.local.Open(logFile)
	require.NoError(r, err)
	r.oldLog, err = io.ReadAll(f)
	require.NoError(r, err)
	require.NoError(r, f.Close())
}

// The loss is noticed when the process has died before, too.
func TestLogLostAfterKill(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x")
	r.fetch("x")
	dir := r.path("/")
	killed := t.TempDir()
	require.NoError(t, os.CopyFS(killed, os.DirFS(dir))) // as it lies there now
	require.NoError(t, r.fs.Close())
	r.local = afero.NewBasePathFs(afero.NewOsFs(), killed)
	require.NoError(t, r.local.Remove(logFile))
	r.start()
	require.Error(t, r.fs.Damage())
	r.restart()
	require.NoError(t, r.fs.Damage())
}

// A directory that is used is not taken for a damaged one, however it was left.
func TestNoDamage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for range 3 {
		require.NoError(t, r.fs.Damage())
		r.restart()
	}
	r.serve("x")
	r.fetch("x")
	r.write("y")
	for range 3 {
		killed := t.TempDir()
		require.NoError(t, os.CopyFS(killed, os.DirFS(r.path("/"))))
		require.NoError(t, r.fs.Close())
		r.local = afero.NewBasePathFs(afero.NewOsFs(), killed)
		r.start()
		require.NoError(t, r.fs.Damage())
		r.append("y", "+")
	}
	require.NoError(t, r.local.RemoveAll(".syncfs"))
	require.NoError(t, r.fs.Close())
	r.start()
	require.NoError(t, r.fs.Damage(), "all of it was deleted: it is new")
}

// A file of the user's that the program changes is one of that content, or none, for the remote, damage or not.
func TestUsersFileChanged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig){
		"truncate": func(r *rig) { r.write("x:anew") },
		"append":   func(r *rig) { r.append("x", "+") },
		"chmod":    func(r *rig) { require.NoError(r, r.fs.Chmod("x", 0o600)) },
		"away":     func(r *rig) { r.down(); r.append("x", "+"); r.up() },
	} {
		for there, want := range map[string]error{"": nil, "x:local": nil, "x:other": ErrConflict, "x:longer": ErrConflict} {
			for _, late := range []bool{false, true} {
				t.Run(name+" "+there, func(t *testing.T) {
					t.Parallel()
					r := newRig(t, nil)
					r.place("x:local")
					serve := func() {
						if there != "" {
							r.serve(there)
						}
					}
					if !late {
						serve()
					} else if there != "" && name != "away" {
						r.serve("x:local") // and something else is there when it is pushed
					}
					change(r)
					if late {
						serve()
						r.restart()
					}
					if want == nil {
						r.pushes()
						return
					}
					was := r.served()
					r.fails(want)
					require.Equal(t, was, r.served())
				})
			}
		}
	}
}

// A cache notices the same.
func TestCacheLogLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	require.NoError(t, r.fs.Close())
	r.local = realDir(t)
	r.serve("x")
	open := func() *cachefs.Fs {
		c, err := cachefs.New(r.remote, r.local, nil)
		require.NoError(t, err)
		return c
	}
	c := open()
	require.NoError(t, c.Damage())
	require.NoError(t, c.Fetch(t.Context(), "x"))
	require.NoError(t, c.Close())
	r.cutLog(0)
	c = open()
	require.Error(t, c.Damage())
	require.NoError(t, c.Close())
	r.start()
}
