package syncfs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
)

// A pinned file stays when it is written, renamed and pushed, and after a restart; then it may go.
func TestPinnedFileIsPushed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x:theirs")
	require.NoError(t, r.fs.Pin(t.Context(), "x"))
	state := func(name string, want cachefs.State, pinned bool) {
		t.Helper()
		status, err := r.fs.Status(name)
		require.NoError(t, err)
		require.Equal(t, want, status.State)
		require.Equal(t, pinned, status.Pinned)
	}
	state("x", cachefs.Owned, true)
	r.write("x:ours")
	state("x", cachefs.Changed, true)
	require.NoError(t, r.fs.Rename("x", "y"))
	r.pushes()
	r.restart()
	state("y", cachefs.Owned, true)
	require.ErrorIs(t, r.fs.Evict("y"), ErrBusy)
	require.NoError(t, r.fs.Unpin("y"))
	require.NoError(t, r.fs.Evict("y"))
	state("y", cachefs.RemoteOnly, false)
	require.EqualValues(t, 1, r.fs.Stats().Evictions)
}
