package syncfs

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A Discard whose context ends, at any operation on the local disk, has discarded everything or can be repeated.
func TestDiscardIsCancelled(t *testing.T) {
	t.Parallel()
	for at, cancelled := 0, true; cancelled; at++ {
		near := new(faultfs.Plan)
		r := &rig{TB: t, remote: aferotest.OS(t.TempDir()), plan: new(faultfs.Plan), local: faultfs.New(realDir(t), near)}
		r.start()
		r.serve("a", "b", "d/x", "d/y")
		r.fetch("a", "b", "d/x")
		before := r.served()
		r.append("a", "+")
		require.NoError(t, r.fs.Rename("b", "c"))
		require.NoError(t, r.fs.Rename("d", "e"))
		r.write("e/new")
		require.NoError(t, r.fs.Remove("e/y"))
		ctx, cancel := context.WithCancel(t.Context())
		last := near.Total() + at
		near.Before(func(op faultfs.Op) error {
			if op.Index >= last {
				cancel()
			}
			return nil
		})
		err := r.fs.with(ctx).Discard()
		cancelled = near.Total() > last
		cancel()
		near.Heal()
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			require.NoError(t, r.fs.Discard())
		}
		require.Empty(t, aferotest.Diff(before, r.view()), at)
		require.ElementsMatch(t, []string{"a+", "e/new"}, r.discarded())
		r.pushes()
		r.end()
	}
}
