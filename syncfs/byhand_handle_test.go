package syncfs

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// A handle on a file of the user's goes with the file, as in package os: what is written after a rename is where the
// file is now, and what is written after its removal is nowhere.
func TestHandleOnUsersFileGoesWithIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then func(r *rig) error
		want []string
	}{
		"renamed": {func(r *rig) error { return r.fs.Rename("d/mine", "e") }, []string{"d/", "e:MINE", "r/", "r/x:r/x"}},
		"twice": {func(r *rig) error {
			require.NoError(r, r.fs.Rename("d/mine", "e"))
			return r.fs.Rename("e", "f")
		}, []string{"d/", "f:MINE", "r/", "r/x:r/x"}},
		"with its directory": {func(r *rig) error { return r.fs.Rename("d", "e") }, []string{"e/", "e/mine:MINE", "r/", "r/x:r/x"}},
		"removed":            {func(r *rig) error { return r.fs.Remove("d/mine") }, []string{"d/", "r/", "r/x:r/x"}},
		"with all":           {func(r *rig) error { return r.fs.RemoveAll("d") }, []string{"r/", "r/x:r/x"}},
		"replaced":           {func(r *rig) error { return r.fs.Rename("r/x", "d/mine") }, []string{"d/", "d/mine:r/x", "r/"}},
		"deleted by hand":    {func(r *rig) error { return r.local.Remove("d/mine") }, []string{"d/", "r/", "r/x:r/x"}},
		"removed and made again": {func(r *rig) error {
			require.NoError(r, r.fs.Remove("d/mine"))
			r.write("d/mine:new")
			return nil
		}, []string{"d/", "d/mine:new", "r/", "r/x:r/x"}},
	} {
		for _, remote := range []bool{false, true} { // has the directory
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil)
				r.serve("r/x")
				if remote {
					r.serve("d/")
				}
				r.place("d/mine:mine")
				f, err := r.fs.OpenFile("d/mine", os.O_RDWR, 0)
				require.NoError(t, err)
				require.NoError(t, c.then(r))
				_, err = f.WriteAt([]byte("MINE"), 0)
				require.NoError(t, err)
				got := make([]byte, 4)
				_, err = f.ReadAt(got, 0)
				require.NoError(t, err)
				require.Equal(t, "MINE", string(got))
				require.NoError(t, f.Sync())
				require.NoError(t, f.Close())
				require.NoError(t, r.fs.AddDir("/", nil))
				r.has(r.view(), c.want...)
				if _, err := r.push(); err != nil {
					require.ErrorIs(t, err, ErrConflict) // a directory that was removed unseen
				}
				served := r.served()
				for name, e := range r.view() {
					if e.Type == 0 {
						require.Equal(t, e, served[name])
					}
				}
			})
		}
	}
}
