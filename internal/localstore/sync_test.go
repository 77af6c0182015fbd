package localstore

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// A compacted log tells of names that last.
func TestCompactedNamesLast(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.disk.Mkdir("/d", 0o755))
	require.NoError(t, afero.WriteFile(r.disk, "/d/a", []byte("x"), 0o644))
	require.NoError(t, r.s.Rename("d/a", "b"))
	require.NoError(t, r.s.rewriting()())
	_, err := r.disk.Crash().Stat("/b")
	require.NoError(t, err)
}
