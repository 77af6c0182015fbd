package syncfs

import (
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
)

// edited returns a rig whose copy of x was edited by another program.
func edited(t *testing.T, opts *Options) *rig {
	t.Helper()
	r := newRig(t, opts)
	r.serve("x", "y")
	r.fetch("x")
	r.place("x:by hand")
	return r
}

func (r *rig) state(name string, want cachefs.State) {
	r.Helper()
	s, err := r.fs.Status(name)
	require.NoError(r, err)
	require.Equal(r, want, s.State, "%s", s.State)
}

// An edited copy is served and shown as changed, and pushed only after Add, whatever has looked at it.
func TestEditedCopyIsPushedOnlyAfterAdd(t *testing.T) {
	t.Parallel()
	always := &Options{}
	always.Cache.Revalidate = cachefs.Always
	for name, look := range map[string]func(r *rig){
		"stat":    func(r *rig) { r.state("x", cachefs.Changed) },
		"list":    func(r *rig) { r.view() },
		"read":    func(r *rig) { r.reads("x", "by hand") },
		"fetch":   func(r *rig) { r.fetch("x") },
		"restart": func(r *rig) { r.state("x", cachefs.Changed); r.restart() },
		"evict":   func(r *rig) { require.ErrorIs(r, r.fs.Evict("x"), cachefs.ErrChanged) },
		"pull": func(r *rig) {
			_, err := r.fs.Pull(r.TB.(*testing.T).Context(), "/")
			require.NoError(r, err)
		},
		"chtimes": func(r *rig) { require.NoError(r, r.fs.Chtimes("x", time.Unix(1, 0), time.Unix(1, 0))) },
		"open to write": func(r *rig) {
			f, err := r.fs.OpenFile("x", os.O_RDWR, 0)
			require.NoError(r, err)
			require.NoError(r, f.Close())
		},
		"add, discard":   func(r *rig) { require.NoError(r, r.fs.Add("x")); require.NoError(r, r.fs.Discard("x")) },
		"theirs changes": func(r *rig) { r.serve("x:another"); r.reads("x", "by hand"); r.serve("x") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := edited(t, always)
			before, err := r.remote.Stat("x")
			require.NoError(t, err)
			look(r)
			require.NoError(t, r.remote.Chtimes("x", time.Now(), before.ModTime()))
			r.queued()
			_, err = r.push()
			require.NoError(t, err)
			r.has(r.served(), "x:x", "y:y")
			r.state("x", cachefs.Changed)
			r.reads("x", "by hand")
			require.ErrorIs(t, r.fs.Evict("x"), cachefs.ErrChanged)
			require.NoError(t, r.fs.Add("x"))
			r.queued("put x")
			r.pushes()
			r.has(r.served(), "x:by hand", "y:y")
			r.state("x", cachefs.Owned)
		})
	}
}

// Neither a newer version of the remote's nor want of room takes an edit away, and Add protects that version.
func TestEditedCopyConflicts(t *testing.T) {
	t.Parallel()
	for name, queue := range map[string]func(r *rig){
		"add":      func(r *rig) { require.NoError(r, r.fs.Add("x")) },
		"add all":  func(r *rig) { require.NoError(r, r.fs.AddDir("/", nil)) },
		"append":   func(r *rig) { r.append("x", ""); r.append("x", "+") },
		"truncate": func(r *rig) { r.write("x:anew") },
		"remove":   func(r *rig) { require.NoError(r, r.fs.Remove("x")) },
		"rename":   func(r *rig) { require.NoError(r, r.fs.Rename("x", "n")) },
		"replace":  func(r *rig) { r.write("t"); require.NoError(r, r.fs.Rename("t", "x")) },
	} {
		for _, stale := range []bool{false, true} {
			if stale && name == "rename" {
				continue // it renames what the remote is known to have
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				opts := &Options{}
				opts.Cache.Revalidate = cachefs.Always
				opts.Cache.MaxBytes = 20
				r := newRig(t, opts)
				r.serve("x", "y")
				r.fetch("x")
				if stale { // the newer version is known before the edit
					r.serve("x:newer, and longer")
					_, err := r.fs.Stat("x")
					require.NoError(t, err)
					r.place("x:by hand")
				} else {
					r.place("x:by hand")
					r.state("x", cachefs.Changed)
					r.serve("x:newer, and longer")
				}
				_, err := r.fs.Pull(t.Context(), "/")
				require.NoError(t, err)
				r.reads("x", "by hand")
				r.serve("big:123456789012345678")
				r.fetch("big")
				r.reads("x", "by hand")
				r.restart()
				queue(r)
				r.fails(ErrConflict)
				r.has(r.served(), "x:newer, and longer", "y:y", "big:123456789012345678")
			})
		}
	}
}

// An edit that is undone leaves a copy; one that is deleted leaves what the remote has.
func TestEditUndone(t *testing.T) {
	t.Parallel()
	r := edited(t, nil)
	r.state("x", cachefs.Changed)
	used := r.fs.Stats().UsedBytes
	r.place("x:x")
	r.state("x", cachefs.Owned)
	require.Equal(t, used+1, r.fs.Stats().UsedBytes)
	r.place("x:again")
	r.restart()
	r.state("x", cachefs.Changed)
	require.NoError(t, r.local.Remove("x"))
	r.state("x", cachefs.RemoteOnly)
	r.reads("x", "x")
	r.pushes()
}

// What the program does to an edited file it does to what it sees.
func TestEditedCopyIsChangedByTheProgram(t *testing.T) {
	t.Parallel()
	r := edited(t, nil)
	require.NoError(t, r.fs.Rename("x", "n"))
	r.queued("rename x -> n")
	r.pushesSome("n:x", "y:y")
	r.reads("n", "by hand")
	r.state("n", cachefs.Changed)
	require.NoError(t, r.fs.Chmod("n", 0o600))
	r.pushesSome("n:x", "y:y")
	r.append("n", ", and by the program")
	r.pushes()
	r.has(r.served(), "n:by hand, and by the program", "y:y")

	r.place("n:by hand")
	require.NoError(t, r.fs.Remove("n"))
	r.pushes()
	r.has(r.served(), "y:y")
}

// pushesSome expects a push without an error after which the remote has that.
func (r *rig) pushesSome(files ...string) {
	r.Helper()
	_, err := r.push()
	require.NoError(r, err)
	require.Empty(r, r.fs.Pending())
	r.has(r.served(), files...)
}

// An edit stays when the remote does not have the file any more.
func TestEditedCopyOutlivesTheRemotes(t *testing.T) {
	t.Parallel()
	opts := &Options{}
	opts.Cache.Revalidate = cachefs.Always
	for _, known := range []bool{false, true} {
		r := newRig(t, opts)
		r.serve("d/x", "d/y", "z")
		r.fetch("d/x", "d/y")
		r.place("d/x:by hand")
		if known {
			r.state("d/x", cachefs.Changed)
		}
		require.NoError(t, r.remote.RemoveAll("d"))
		r.has(r.view(), "d/", "d/x:by hand", "z:z")
		_, err := r.push()
		require.NoError(t, err)
		r.has(r.served(), "z:z")
		r.reads("d/x", "by hand")
		r.restart()
		r.reads("d/x", "by hand")
	}
}

// A file that the user puts where a renamed file has no copy is served, and pushed only after Add.
func TestFileInPlaceOfRenamedOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x")
	require.NoError(t, r.fs.Rename("x", "n"))
	r.place("n:by hand")
	r.state("n", cachefs.Changed)
	r.queued("rename x -> n")
	r.pushesSome("n:x")
	r.reads("n", "by hand")
	r.restart()
	r.reads("n", "by hand")
	require.NoError(t, r.fs.AddDir("/", nil))
	r.pushes()
	r.has(r.served(), "n:by hand")
}

// A queued file that another program has written to since is not published by accident.
func TestQueuedFileEdited(t *testing.T) {
	t.Parallel()
	for name, queue := range map[string]func(r *rig){
		"made":    func(r *rig) { r.write("x:ours") },
		"changed": func(r *rig) { r.serve("x:theirs"); r.append("x", "+") },
		"renamed": func(r *rig) { r.write("y:ours"); require.NoError(r, r.fs.Rename("y", "x")) },
		"adopted": func(r *rig) { r.place("x:local"); r.append("x", "+") },
		"moved":   func(r *rig) { r.place("y:local"); require.NoError(r, r.fs.Rename("y", "x")) },
		"given a time": func(r *rig) {
			r.write("x:ours")
			require.NoError(r, r.fs.Chtimes("x", time.Unix(1_000_000_000, 5), time.Unix(1_000_000_000, 5)))
		},
	} {
		for way, out := range map[string]func(r *rig) string{
			"add":     func(r *rig) string { require.NoError(r, r.fs.Add("x")); return "by hand" },
			"add all": func(r *rig) string { require.NoError(r, r.fs.AddDir("/", nil)); return "by hand" },
			"append":  func(r *rig) string { r.append("x", "+"); return "by hand+" },
			"anew":    func(r *rig) string { r.write("x:anew"); return "anew" },
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil)
				queue(r)
				was := r.served()
				r.place("x:by hand")
				require.NoError(t, r.fs.Chmod("x", 0o600))
				for range 2 {
					report := r.fails(ErrBusy)
					require.ErrorContains(t, report.Results[0].Err, "x: ")
					require.Equal(t, was, r.served())
					r.reads("x", "by hand")
					require.NoError(t, r.fs.Chtimes("x", time.Unix(7, 0), time.Unix(7, 0)))
					r.restart()
				}
				want := out(r)
				r.pushes()
				r.has(r.served(), "x:"+want)
			})
		}
	}
}

// What leaves the bytes alone is no edit.
func TestQueuedFileTouched(t *testing.T) {
	t.Parallel()
	for name, touch := range map[string]func(r *rig, was fs.FileInfo){
		"chmod":     func(r *rig, _ fs.FileInfo) { require.NoError(r, r.local.Chmod("x", 0o600)) },
		"hard link": func(r *rig, _ fs.FileInfo) { require.NoError(r, os.Link(r.path("x"), r.path("l"))) },
		"another disk": func(r *rig, was fs.FileInfo) {
			mtime := was.ModTime().Truncate(2 * time.Second)
			require.NoError(r, r.local.Rename("x", "old"))
			r.place("x:ours")
			require.NoError(r, r.local.Chtimes("x", mtime, mtime))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.write("x:ours")
			was, err := r.local.Stat("x")
			require.NoError(t, err)
			touch(r, was)
			_, err = r.push()
			require.NoError(t, err)
			r.has(r.served(), "x:ours")
		})
	}
}

// path is where a name of the local directory is on this machine.
func (r *rig) path(name string) string {
	r.Helper()
	path, err := r.local.(*afero.BasePathFs).RealPath(name)
	require.NoError(r, err)
	return path
}

// A file in the place of a directory is the user's, and nothing deletes it.
func TestFileInPlaceOfDirectory(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("d/x", "d/y", "z")
	r.fetch("d/x")
	require.NoError(t, r.local.RemoveAll("d"))
	r.place("d:by hand")
	_ = r.fs.Evict("d/x")
	r.reads("d", "by hand")
	r.has(r.view(), "d:by hand", "z:z")
	r.queued()
	_, err := r.push()
	require.NoError(t, err)
	r.has(r.served(), "d/", "d/x:d/x", "d/y:d/y", "z:z")
	r.restart()
	r.reads("d", "by hand")
}
