package mirror

import (
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// What a call has asked before a name was taken away counts no more, also if nobody has taken note of that yet.
func TestAnswerFromBeforeADisplacement(t *testing.T) {
	t.Parallel()
	plan := new(faultfs.Plan)
	f := newFetching(t, func(remote afero.Fs) afero.Fs { return faultfs.New(remote, plan) })
	plan.After(func(op faultfs.Op, err error) error {
		if op.Kind == faultfs.Lstat && err == nil {
			require.NoError(t, f.m.Displace(func() error { return f.remote.Remove("/file") }, "file"))
		}
		return err
	})
	_, err := f.m.OpenRead("file")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Zero(t, plan.Count(faultfs.Open))
}
