package syncfs

import (
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// A rename changes the ctime of a copy. That must not cover up an edit by hand that only the ctime showed: one of the
// same size whose time was set back.
func TestDiscardDoesNotHideAnEdit(t *testing.T) {
	remote := aferotest.OS(t.TempDir())
	require.NoError(t, afero.WriteFile(remote, "/a", []byte("remote"), 0o644))
	dir := t.TempDir()
	s := newFs(t, remote, afero.NewBasePathFs(afero.NewOsFs(), dir), nil)
	_, err := afero.ReadFile(s, "a")
	require.NoError(t, err)
	require.NoError(t, s.Rename("a", "b"))

	fi, err := os.Stat(dir + "/b")
	require.NoError(t, err)
	before := fi.ModTime()
	require.Eventually(t, func() bool { return time.Since(before) > 20*time.Millisecond }, time.Second, time.Millisecond)
	require.NoError(t, os.WriteFile(dir+"/b", []byte("edited"), 0o644))
	require.NoError(t, os.Chtimes(dir+"/b", before, before))

	require.NoError(t, s.Discard())
	var added []string
	require.NoError(t, s.AddDir("/", func(name string) { added = append(added, name) }))
	require.Equal(t, []string{"a"}, added)
}
