package syncfs

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// While another client has a file, or nothing, in the place of a directory, names in it do not exist: syscall.ENOTDIR is as good
// an answer as fs.ErrNotExist. Only copies go. When the directory is back, nothing is lost or hidden, on either side.
func TestDirectoryIsSwappedForAWhile(t *testing.T) {
	t.Parallel()
	meanwhile := map[string]func(r *rig){
		"nothing": func(*rig) {},
		"look": func(r *rig) {
			for _, name := range []string{"d/copy", "d/unread"} {
				require.ErrorIs(r, second(r.fs.Stat(name)), fs.ErrNotExist)
				require.Error(r, second(afero.ReadFile(r.fs, name)))
			}
			r.reads("d/edited", "d/edited+")
			r.reads("d/mine", "d/mine")
			_, _ = afero.ReadDir(r.fs, "d")
			_, _ = afero.ReadDir(r.fs, "/")
		},
		"list first": func(r *rig) { _, _ = afero.ReadDir(r.fs, "d"); _, _ = r.fs.Pull(r.fs.m.Context(), "/") },
		"push": func(r *rig) {
			r.fails(ErrConflict)
			r.queued("put d/edited")
		},
		"write": func(r *rig) { r.write("d/more") },
	}
	for name, do := range meanwhile {
		for swap, place := range map[string]func(r *rig){
			"away": func(*rig) {},
			"file": func(r *rig) { r.serve("d:theirs") },
			"link": func(r *rig) { r.serve("other"); r.link("other", "d") },
		} {
			t.Run(fmt.Sprint(name, "/", swap), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, &Options{Cache: cachefs.Options{Revalidate: cachefs.Always}})
				r.serve("d/copy", "d/edited", "d/removed", "d/unread", "d/sub/x")
				r.fetch("d/copy", "d/edited", "d/sub/x")
				r.append("d/edited", "+")
				r.place("d/mine")
				require.NoError(t, r.fs.Remove("d/removed"))
				require.NoError(t, r.remote.Rename("d", "aside"))
				place(r)
				do(r)
				_ = r.remote.Remove("d")
				_ = r.remote.Remove("other")
				require.NoError(t, r.remote.Rename("aside", "d"))
				want := []string{"d/", "d/copy:d/copy", "d/edited:d/edited+", "d/unread:d/unread", "d/sub/", "d/sub/x:d/sub/x"}
				if name == "write" {
					want = append(want, "d/more:d/more")
				}
				if name != "nothing" { // it was gone: nothing was left to remove
					want = append(want, "d/removed:d/removed")
				}
				_, err := r.push()
				require.NoError(t, err)
				r.has(r.served(), want...)
				r.has(r.view(), append(want, "d/mine:d/mine")...)
			})
		}
	}
}

// The temporary file of an upload that was taken back is gone with its directory, whatever is in the place of that.
func TestTemporaryFileInASwappedDirectory(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("d/x")
	r.write("d/new")
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename {
			return errDown
		}
		return nil
	})
	r.fails(ErrUnavailable)
	r.plan.Heal()
	require.NoError(t, r.fs.Remove("d/new"))
	require.NoError(t, r.remote.RemoveAll("d"))
	r.serve("d:theirs")
	require.NoError(t, second(r.push()))
	r.has(r.served(), "d:theirs")
}
