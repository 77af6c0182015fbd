package mirror

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// A fetch that was about to give a copy its name is brought to an end by the next mirror, whose own fetches use other
// temporary names. What is no temporary file is left alone.
func TestRestoreLanding(t *testing.T) {
	t.Parallel()
	for from, landed := range map[string]bool{localdir.TmpDir + "/0000000000000002-7": true, "mine-7": false} {
		f := newFetching(t, func(remote afero.Fs) afero.Fs { return remote })
		require.NoError(t, f.m.Fetch("file"))
		require.NoError(t, f.m.Do(func(v *View) error {
			n := v.tree.Lookup("file")
			landing := n.Copy().From(from)
			v.tree.Drop(n)
			v.tree.Install(n, landing)
			return nil
		}))
		require.NoError(t, f.m.Close())
		require.NoError(t, f.local.Rename("/file", "/"+from))

		m, err := Open(f.remote, f.local, Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		require.EqualValues(t, 7, m.copies.Starts())
		if landed {
			f.has(large)
		} else {
			f.has()
		}
	}
}
