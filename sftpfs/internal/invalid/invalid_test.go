package invalid

import (
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArgument(t *testing.T) {
	t.Parallel()
	require.Equal(t, syscall.EINVAL.Error(), Argument.Error())
	require.ErrorIs(t, Argument, fs.ErrInvalid)
	require.ErrorIs(t, Argument, syscall.EINVAL)
	require.NotErrorIs(t, Argument, fs.ErrExist)
}
