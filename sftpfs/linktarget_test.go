package sftpfs_test

import (
	"errors"
	"io/fs"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A server that makes the targets of symbolic links absolute makes none with a relative target.
func TestSymlinkWhoseTargetBecomesAbsolute(t *testing.T) {
	t.Parallel()
	var asked counter
	server := sftptest.Start(t, asked.character(), sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		if r.Kind == sftptest.Symlink && !path.IsAbs(r.Target) {
			r.Target = path.Join(path.Dir(r.Path), r.Target)
		}
		return r.Next()
	}))
	fsys := newFs(t, server.Config())
	require.NoError(t, fsys.Mkdir("d", 0o777))
	require.NoError(t, fsys.SymlinkIfPossible("/d/f", "d/absolute"))
	before := asked.of(sftptest.Symlink)
	for range 2 {
		require.ErrorIs(t, fsys.SymlinkIfPossible("f", "d/l"), errors.ErrUnsupported)
		_, _, err := fsys.LstatIfPossible("d/l")
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	require.Equal(t, before+1, asked.of(sftptest.Symlink))
	require.Equal(t, []string{"symlink to a relative path"}, refusedBy(t, fsys))
	require.NoError(t, fsys.SymlinkIfPossible("/d/f", "d/other"))
	require.Equal(t, 1, asked.of(sftptest.Readlink))
}
