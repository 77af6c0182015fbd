package sftpfs_test

import (
	"bytes"
	"io"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A quota that is used up is an answer to a write or, on a server that stores a file when it is closed, to the close. The
// packets in flight are each refused once, and the connection stays.
func TestQuota(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	for name, c := range map[string]struct {
		characters []sftptest.Character
		refused    sftptest.Kind
	}{
		"at the write": {[]sftptest.Character{sftptest.Quota(size / 2)}, sftptest.Write},
		"at the close": {[]sftptest.Character{sftptest.Quota(size / 2), sftptest.ObjectStore()}, sftptest.Close},
	} {
		var counted counter
		server := sftptest.Start(t, append([]sftptest.Character{counted.character()}, c.characters...)...)
		fsys := newFs(t, server.Config())
		f, err := fsys.Create("f")
		require.NoError(t, err)
		_, err = io.Copy(f, struct{ io.Reader }{bytes.NewReader(make([]byte, size))})
		closing := f.Close()
		if c.refused == sftptest.Close {
			require.NoError(t, err, name)
			err = closing
		}
		require.ErrorIs(t, err, syscall.EDQUOT, name)
		require.NotErrorIs(t, err, sftpfs.ErrUnavailable, name)
		requireOnePath(t, err, name)
		require.LessOrEqual(t, counted.of(sftptest.Write), size/(32<<10), name)
		require.Equal(t, 1, counted.of(sftptest.Close), name)

		require.NoError(t, fsys.Remove("f"))
		require.NoError(t, afero.WriteFile(fsys, "small", []byte("content"), 0o666), name)
		require.Equal(t, 1, counted.connections(), name)
	}
}
