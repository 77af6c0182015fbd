package mirror

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// An Fs may name an open file anew when it is renamed; a handle keeps the name it was opened with.
func TestARemoteFileKeepsItsName(t *testing.T) {
	base := afero.NewMemMapFs()
	require.NoError(t, afero.WriteFile(base, "/d/a", nil, 0o644))
	f, err := base.Open("/d/a")
	require.NoError(t, err)
	r := NewRemoteFile(f, "d/a", nil)
	require.NoError(t, base.Rename("/d/a", "/d/b"))
	fi, err := r.Stat()
	require.NoError(t, err)
	require.Equal(t, "a", fi.Name())
	require.Equal(t, "d/a", r.Name())
	require.NoError(t, r.Close())
}
