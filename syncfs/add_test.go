package syncfs

import (
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

func TestAddErrors(t *testing.T) {
	t.Parallel()
	local := t.TempDir()
	r := rigOn(t, newRig(t, nil).remote, nil)
	require.NoError(t, r.fs.Close())
	r.local = afero.NewBasePathFs(afero.NewOsFs(), local)
	r.start()
	r.serve("theirs")
	r.place("d/x")
	require.NoError(t, os.Symlink("d/x", local+"/link"))
	f, err := r.fs.Create("busy")
	require.NoError(t, err)
	before := r.plan.Total()
	for name, want := range map[string]error{
		"theirs":         fs.ErrNotExist, // not local
		"missing":        fs.ErrNotExist,
		"d/missing":      fs.ErrNotExist,
		"missing/x":      fs.ErrNotExist,
		"d":              fs.ErrInvalid,
		"/":              fs.ErrInvalid,
		"link":           fs.ErrInvalid,
		"a\x00":          fs.ErrInvalid,
		".syncfs/log":    fs.ErrInvalid,
		".syncfs-x.part": fs.ErrInvalid,
		"d/.syncfs/x":    fs.ErrInvalid,
		"busy":           ErrBusy,
	} {
		err := r.fs.Add(name)
		require.ErrorIs(t, err, want, name)
		var pe *fs.PathError
		require.ErrorAs(t, err, &pe)
		require.Equal(t, name, pe.Path)
	}
	require.ErrorIs(t, r.fs.AddDir("missing", nil), fs.ErrNotExist)
	require.Error(t, r.fs.AddDir("d/x", nil))
	require.Equal(t, before, r.plan.Total(), "Add asked the remote")
	require.NoError(t, f.Close())
	r.queued("put busy")
	require.NoError(t, r.fs.Close())
	require.ErrorIs(t, r.fs.Add("d/x"), fs.ErrClosed)
	require.ErrorIs(t, r.fs.AddDir("d", nil), fs.ErrClosed)
	r.start()
}

// Names that mean all, and nested directories.
func TestAddDir(t *testing.T) {
	t.Parallel()
	for _, all := range []string{"/", ".", "*", ""} {
		r := newRig(t, nil)
		r.place("a", "d/b", "d/e/f/c", "empty/")
		var added []string
		require.NoError(t, r.fs.AddDir(all, func(name string) {
			added = append(added, name)
			r.pending() // the Fs may be used meanwhile
		}))
		require.ElementsMatch(t, []string{"a", "d/b", "d/e/f/c"}, added)
		r.queued("put a", "put d/b", "put d/e/f/c")
		// What is queued is not queued again.
		require.NoError(t, r.fs.AddDir(all, func(name string) { t.Error(name) }))
		_, err := r.push()
		require.NoError(t, err)
		r.has(r.served(), "a:a", "d/", "d/b:d/b", "d/e/", "d/e/f/", "d/e/f/c:d/e/f/c")
		// What was pushed is the remote's as it is.
		require.NoError(t, r.fs.AddDir(all, func(name string) { t.Error(name) }))
		r.queued()
	}
}

func TestAddDirBelow(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"d", "/d", "d/", "./d"} {
		r := newRig(t, nil)
		r.place("a", "d/b", "d/e/c", "de/x")
		require.NoError(t, r.fs.AddDir(dir, nil))
		r.queued("put d/b", "put d/e/c")
	}
}

// After a Pull everything is the remote's; what is edited by hand then is found, and nothing else.
func TestAddDirAfterPull(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("a", "d/b", "d/same", "d/e/c")
	_, err := r.fs.Pull(t.Context(), "*")
	require.NoError(t, err)
	require.NoError(t, r.fs.AddDir("/", func(name string) { t.Error(name) }))
	r.queued()
	r.place("d/b:edited", "d/same:d/same", "n/new")
	var added []string
	require.NoError(t, r.fs.AddDir("/", func(name string) { added = append(added, name) }))
	require.ElementsMatch(t, []string{"d/b", "n/new"}, added)
	r.queued("put d/b", "put n/new")
	r.pushes()
	r.has(r.served(), "a:a", "d/", "d/b:edited", "d/same:d/same", "d/e/", "d/e/c:d/e/c", "n/", "n/new:n/new")
}

// An edit of a copy that was made by hand is protected like any other.
func TestAddEditedByHand(t *testing.T) {
	t.Parallel()
	for _, add := range []func(r *rig) error{
		func(r *rig) error { return r.fs.Add("x") },
		func(r *rig) error { return r.fs.AddDir("/", nil) },
	} {
		r := newRig(t, nil)
		r.serve("x")
		r.fetch("x")
		r.place("x:edited by hand")
		require.NoError(t, add(r))
		r.serve("x:by another client")
		r.fails(ErrConflict)
		r.has(r.served(), "x:by another client")
		r.reads("x", "edited by hand")
	}
}

// Add sends a file whether or not it has changed.
func TestAddUnchanged(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x")
	r.fetch("x")
	require.NoError(t, r.fs.Add("x"))
	require.NoError(t, r.fs.Add("x"))
	r.queued("put x")
	report := r.pushes()
	require.EqualValues(t, 1, report.Bytes)
	require.NoError(t, r.fs.Add("x"))
	r.pushes()
}

// A file that changes after it was added is sent as it is at the time of the push.
func TestAddThenChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.place("x:one", "y:one")
	require.NoError(t, r.fs.AddDir("/", nil))
	r.place("x:two, and longer")
	r.append("y", " two")
	r.pushes()
	r.has(r.served(), "x:two, and longer", "y:one two")
	_, err := r.push()
	require.NoError(t, err)
}

// An interrupted file is whole if Add says so.
func TestAddInterrupted(t *testing.T) {
	t.Parallel()
	for _, add := range []func(r *rig) error{
		func(r *rig) error { return r.fs.Add("d/x") },
		func(r *rig) error { return r.fs.AddDir("d", nil) },
	} {
		r := newRig(t, nil)
		r.serve("d/")
		f, err := r.fs.Create("d/x")
		require.NoError(t, err)
		_, err = f.WriteString("part")
		require.NoError(t, err)
		r.restart()
		require.NoError(t, f.Close())
		r.fails(ErrBusy)
		require.NoError(t, add(r))
		r.pushes()
		r.has(r.served(), "d/", "d/x:part")
	}
}

// What was added is where a rename takes it.
func TestAddThenRename(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x:theirs", "d/y:theirs", "d/z:theirs")
	r.place("x:ours", "d/y:ours", "m/w:ours")
	require.NoError(t, r.fs.AddDir("/", nil))
	require.NoError(t, r.fs.Rename("x", "n"))
	require.NoError(t, r.fs.Rename("d", "e"))
	require.NoError(t, r.fs.Rename("m", "k")) // which the remote does not have
	require.NoError(t, r.fs.Chmod("k", 0o700))
	_, err := r.push()
	require.NoError(t, err)
	r.has(r.served(), "x:theirs", "n:ours", "e/", "e/y:ours", "e/z:theirs", "k/", "k/w:ours")
}

// The time of an Add does not depend on how much is queued.
func BenchmarkAdd(b *testing.B) {
	for _, queued := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint("queued ", queued), func(b *testing.B) {
			r := queueOf(b, queued)
			for i := 0; b.Loop(); i++ {
				require.NoError(b, r.fs.Add(fmt.Sprintf("d%d/x%d", i%100, i%queued)))
			}
		})
	}
}

// A directory that was not asked about when a file in it was added is seen when it is removed.
func TestRemoveDirectoryOfAdded(t *testing.T) {
	t.Parallel()
	for _, pushed := range []bool{false, true} {
		r := newRig(t, nil)
		r.serve("d/e/y")
		r.place("d/e/x")
		require.NoError(t, r.fs.Add("d/e/x"))
		if pushed {
			r.pushes()
		}
		require.NoError(t, r.fs.RemoveAll("d"))
		r.pushes()
		r.has(r.served())
	}
}
