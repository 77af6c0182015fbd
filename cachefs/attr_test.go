package cachefs

import (
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// An open directory shows what is changed about it, the root as well as others.
func TestAttributesOfAnOpenDirectory(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"/", "d", "link"} {
		w := newWorld(t, Options{})
		require.NoError(t, w.remote.Mkdir("d", 0o755))
		require.NoError(t, w.remote.(afero.Symlinker).SymlinkIfPossible(".", "link"))
		dir, err := w.fs.Open(name)
		require.NoError(t, err)
		day := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		require.NoError(t, w.fs.Chmod(name, 0o750))
		require.NoError(t, w.fs.Chtimes(name, day, day))
		fi, err := dir.Stat()
		require.NoError(t, err)
		require.Equal(t, "drwxr-x---", fi.Mode().String(), name)
		require.True(t, day.Equal(fi.ModTime()), "%s: %v", name, fi.ModTime())
		require.NoError(t, dir.Close())
	}
}
