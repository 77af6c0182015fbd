package syncfs

import (
	"context"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
)

// A queued file that was deleted by hand is reported by each push, and stays queued until it is discarded.
func TestDeletedByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("edited", "renamed")
	r.append("edited", "+")
	r.write("made", "other")
	r.place("added")
	require.NoError(t, r.fs.Add("added"))
	for _, name := range []string{"edited", "made", "added"} {
		require.NoError(t, r.local.Remove(name))
	}
	for attempt := 1; attempt <= 2; attempt++ {
		report := r.fails(fs.ErrNotExist)
		require.Equal(t, 3, report.Failed, "%v", report.Results)
		r.queued("put edited", "put made", "put added")
		for _, c := range r.fs.Pending() {
			require.Equal(t, attempt, c.Attempts)
			require.Error(t, c.Err)
			require.Zero(t, c.Size)
		}
		r.restart()
	}
	r.has(r.served(), "edited:edited", "renamed:renamed", "other:other")
	_, err := r.fs.Stat("made")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = r.fs.Open("edited")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, r.fs.Discard())
	r.pushes()
	r.has(r.view(), "edited:edited", "renamed:renamed", "other:other")
}

// What was deleted by hand can be made again.
func TestDeletedByHandMadeAgain(t *testing.T) {
	t.Parallel()
	for name, flag := range map[string]int{
		"truncating": os.O_TRUNC, "exclusively": os.O_EXCL, "appending": os.O_APPEND, "plainly": 0,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.serve("x")
			r.append("x", "+")
			require.NoError(t, r.local.Remove("x"))
			f, err := r.fs.OpenFile("x", os.O_WRONLY|os.O_CREATE|flag, 0o644)
			require.NoError(t, err)
			_, err = f.WriteString("again")
			require.NoError(t, err)
			require.NoError(t, f.Close())
			r.pushes()
			r.has(r.served(), "x:again")
		})
	}
}

// A copy that was deleted by hand is only on the remote.
func TestCopyDeletedByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x")
	r.fetch("x")
	require.NoError(t, r.local.Remove("x"))
	r.queued()
	r.reads("x", "x")
	require.NoError(t, r.local.Remove("x"))
	r.append("x", "+")
	r.pushes()
	r.has(r.served(), "x:x+")
}

// A file put over a pending removal is what the program sees; the removal stays.
func TestPutOverRemoval(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x", "d/y", "d/z")
	require.NoError(t, r.fs.Remove("x"))
	require.NoError(t, r.fs.Remove("d/y"))
	r.place("x:by hand", "d/y:by hand")
	r.reads("x", "by hand")
	r.reads("d/y", "by hand")
	r.queued("remove x", "remove d/y")
	_, err := r.push()
	require.NoError(t, err)
	r.has(r.served(), "d/", "d/z:d/z")
	r.reads("x", "by hand")
	r.reads("d/y", "by hand")
	require.NoError(t, r.fs.AddDir("/", nil))
	r.pushes()
	r.has(r.served(), "x:by hand", "d/", "d/y:by hand", "d/z:d/z")
}

// A rename is not made a second time by a restart, over what the user put there since.
func TestPutAfterRename(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x", "z")
	r.fetch("x", "z")
	require.NoError(t, r.fs.Rename("x", "y"))
	r.place("x:by hand")
	r.restart()
	r.reads("y", "x")
	r.reads("x", "by hand")
	require.NoError(t, r.fs.Remove("z"))
	r.place("z:by hand")
	r.restart()
	r.reads("z", "by hand")
}

// What the user puts into the local directory is served, and pushed only when it was added or written.
func TestLocalFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x:theirs", "d/theirs")
	r.place("x:local", "d/local", "n/local")
	r.reads("x", "local")
	r.has(r.view(), "x:local", "d/", "d/theirs:d/theirs", "d/local:d/local", "n/", "n/local:n/local")
	r.queued()
	_, err := r.push()
	require.NoError(t, err)
	r.append("n/local", "+") // now it is a change
	require.NoError(t, r.fs.Rename("d/local", "d/renamed"))
	require.NoError(t, r.fs.Remove("x")) // and with it the remote's
	r.pushes()
	r.has(r.served(), "d/", "d/theirs:d/theirs", "d/renamed:d/local", "n/", "n/local:n/local+")
}

// A copy that was renamed is one still: when the remote has it no more, it goes.
func TestRenamedCopyGoes(t *testing.T) {
	t.Parallel()
	opts := &Options{}
	opts.Cache.Revalidate = cachefs.Always
	r := newRig(t, opts)
	r.serve("x", "y", "z")
	r.fetch("x", "y")
	require.NoError(t, r.fs.Rename("x", "n"))
	require.NoError(t, r.fs.Discard())
	require.NoError(t, r.fs.Rename("y", "m"))
	r.pushes()
	require.NoError(t, r.remote.Remove("x"))
	require.NoError(t, r.remote.Remove("m"))
	r.has(r.view(), "z:z")
	_, err := r.local.Stat("x")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// A copy that was deleted by hand shows in a list as it does by its name.
func TestListAfterCopyWasDeleted(t *testing.T) {
	t.Parallel()
	for _, theirs := range []string{"", "x:another version"} {
		r := newRig(t, nil)
		r.serve("x", "y")
		r.fetch("x")
		if theirs == "" {
			require.NoError(t, r.remote.Remove("x"))
		} else {
			r.serve(theirs)
		}
		require.NoError(t, r.local.Remove("x"))
		infos, err := afero.ReadDir(r.fs, "/")
		require.NoError(t, err)
		for _, listed := range infos {
			fi, err := r.fs.Stat(listed.Name())
			require.NoError(t, err)
			require.Equal(t, fi.Size(), listed.Size())
		}
	}
}

// A directory in the place of a file's copy does not have the file fetched for ever.
func TestDirectoryInPlaceOfCopy(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x")
	require.NoError(t, r.fs.Rename("x", "y"))
	r.place("y/")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.ErrorIs(t, r.fs.Fetch(ctx, "y"), ErrBusy)
	_, err := r.fs.WithContext(ctx).OpenFile("y", os.O_RDWR, 0)
	require.ErrorIs(t, err, ErrBusy)
	require.NoError(t, r.local.Remove("y"))
	r.reads("y", "x")
}
