package syncfs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
)

// What is renamed out of a directory that is then removed here, and by others as well, is the last copy: it is queued, and
// not evicted.
func TestLastCopyOfWhatVanished(t *testing.T) {
	t.Parallel()
	for _, deleted := range []bool{false, true} {
		r := newRig(t, &Options{Cache: cachefs.Options{Revalidate: cachefs.Always, MaxBytes: 10}})
		r.serve("d/sub/f:last", "d/x:X", "other:1234567")
		r.fetch("d/sub/f")
		require.NoError(t, r.fs.Rename("d/sub/f", "g"))
		require.NoError(t, r.fs.RemoveAll("d/sub"))
		require.NoError(t, r.remote.RemoveAll("d"))
		_, err := r.fs.Stat("d")
		require.Error(t, err)
		require.ErrorIs(t, r.fs.Evict("g"), cachefs.ErrChanged)
		r.reads("other", "1234567")
		if deleted { // by hand
			require.NoError(t, r.local.Remove("g"))
			_, err := r.fs.Open("g")
			require.Error(t, err)
			require.NoError(t, r.fs.Discard())
			continue
		}
		r.reads("g", "last")
		r.restart()
		r.pushes()
		r.has(r.served(), "g:last", "other:1234567")
	}
}
