package cachefs

import (
	"math"
	"runtime"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// Nothing in a local directory in memory is as large as a server says before its bytes have come. What is too large for memory
// is read on the remote. Not parallel: memory is measured.
func TestStatedSizeTakesNoMemory(t *testing.T) {
	const most = 1 << 30
	for size, offsets := range map[int64][]int64{
		math.MaxInt64: {0, 1 << 20, 1 << 40, math.MaxInt64 - 1000},
		1 << 40:       {0, 1 << 20, 1 << 39, 1<<40 - 1000},
		most + 1:      {0, 1 << 20, most - 1000},
		most:          {0, 1 << 20},
	} {
		remote := stating{afero.NewMemMapFs(), map[string]int64{"/f": size}}
		require.NoError(t, afero.WriteFile(remote.Fs, "/f", nil, 0o644))
		c, err := New(remote, afero.NewMemMapFs(), nil)
		require.NoError(t, err)
		f, err := c.Open("f")
		require.NoError(t, err)
		for _, off := range offsets {
			_, err := f.ReadAt(make([]byte, 1000), off)
			require.NoError(t, err, "%d at %d", size, off)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			require.Less(t, m.HeapAlloc, uint64(256<<20), "%d at %d", size, off)
		}
		require.NoError(t, f.Close())
		if size > most {
			err = c.Fetch(t.Context(), "f")
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.ErrorContains(t, err, "no room")
		}
		require.NoError(t, c.Close())
	}
}
