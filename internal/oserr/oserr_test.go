package oserr

import (
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/spf13/afero/mem"
	"github.com/stretchr/testify/require"
)

func TestErrorsNameOperationAndPathOnce(t *testing.T) {
	t.Parallel()
	below := &os.LinkError{Op: "rename", Old: "/tmp/x", New: "/tmp/y", Err: &fs.PathError{Op: "openat", Path: "/tmp/x",
		Err: os.NewSyscallError("openat", syscall.ENOENT)}}
	require.EqualError(t, Path("open", "x", below), "open x: no such file or directory")
	require.EqualError(t, Link("rename", "x", "y", below), "rename x y: no such file or directory")
	require.ErrorIs(t, Path("open", "x", below), fs.ErrNotExist)
	require.NoError(t, Path("open", "x", nil))
	require.NoError(t, Link("rename", "x", "y", nil))
}

func TestErrorsOfAferoMatchThoseOfPackageFS(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, Path("read", "f", mem.ErrFileClosed), fs.ErrClosed)
	require.ErrorIs(t, Path("seek", "f", mem.ErrOutOfRange), fs.ErrInvalid)
}
