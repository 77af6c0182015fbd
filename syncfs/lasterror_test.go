package syncfs

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// However much a remote says about why it refuses something, little of it is recorded.
func TestLongErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.write("f")
	long := errors.Join(fs.ErrPermission, errors.New(strings.Repeat("words ", 100_000)))
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename {
			return long
		}
		return nil
	})
	r.fails(fs.ErrPermission)
	r.plan.Heal()
	for range 2 {
		pending := r.fs.Pending()
		require.Len(t, pending, 1)
		require.ErrorIs(t, pending[0].Err, fs.ErrPermission)
		require.LessOrEqual(t, len(pending[0].Err.Error()), mostText)
		info, err := r.local.Stat(logFile)
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(10*mostText))
		r.restart()
	}
	r.pushes()
}
