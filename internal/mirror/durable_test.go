package mirror

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
)

// A compacted log tells of names that last.
func TestCompactedNamesLast(t *testing.T) {
	t.Parallel()
	disk := crashfs.New(nil)
	m, err := Open(afero.NewMemMapFs(), disk, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	require.NoError(t, disk.Mkdir("/d", 0o755))
	require.NoError(t, afero.WriteFile(disk, "/d/a", []byte("x"), 0o644))
	require.NoError(t, m.rename("d/a", "b"))
	require.NoError(t, m.rewriting()())
	left := disk.Crash()
	_, err = left.Stat("/b")
	require.NoError(t, err)
}
