package mirror

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// filled is a cache whose bound is reached with n copies of one byte each. Those that were used first are pinned, open
// or edited by another program, a third each; they are half of all.
func filled(t *testing.T, n int) (*FS, *faultfs.Plan) {
	plan, local := new(faultfs.Plan), crashfs.New(nil)
	m, err := Open(crashfs.New(nil), faultfs.New(local, plan), Options{MaxBytes: int64(n)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	require.NoError(t, m.Do(func(v *View) error {
		for i := range n {
			file := v.tree.Discover(v.tree.Root(), fmt.Sprint(i), tree.File, tree.Meta{Size: 1}, 1)
			v.tree.Own(file, tree.Copy{Stamp: tree.Stamp{Size: 1}})
			switch {
			case i >= n/2:
			case i%3 == 0:
				v.tree.Pin(file, true)
			case i%3 == 1:
				v.tree.SetUsage(file, tree.InUse)
			default:
				require.NoError(t, afero.WriteFile(local, fmt.Sprint(i), []byte("edited"), 0o644))
			}
		}
		return nil
	}))
	return m, plan
}

// reserve makes room for a download of one byte.
func reserve(m *FS) error {
	a := &sharedDownload{m: m, Download: new(download.Download)}
	return a.Reserve(nil, 1)
}

// What it takes to make room for one copy does not depend on how many there are: operations on the local directory are
// counted, and memory that is allocated. It is not parallel for the sake of the latter.
func TestMakingRoomCostsTheSame(t *testing.T) {
	cost := func(n int) (operations int, memory uint64) {
		m, plan := filled(t, n)
		require.NoError(t, reserve(m)) // what cannot be evicted is tried once
		operations = plan.Total()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 10 {
			require.NoError(t, reserve(m))
		}
		runtime.ReadMemStats(&after)
		require.EqualValues(t, 11, m.Stats().Evictions)
		require.EqualValues(t, n, m.Stats().UsedBytes)
		return plan.Total() - operations, after.TotalAlloc - before.TotalAlloc
	}
	operations, memory := cost(600)
	operationsOfMany, memoryOfMany := cost(6000)
	require.Equal(t, operations, operationsOfMany)
	require.Less(t, memoryOfMany, 2*memory+8<<10)
}
