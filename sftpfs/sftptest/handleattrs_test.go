package sftptest_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// Attributes that are set through a handle are those of the open file, whatever has its name by now.
func TestFsetstatIsAboutTheOpenFile(t *testing.T) {
	t.Parallel()
	server, c := startWith(t)
	put(t, server, "/f", "content")
	f, err := c.OpenFile("/f", os.O_RDWR)
	require.NoError(t, err)
	require.NoError(t, c.Rename("/f", "/moved"))
	put(t, server, "/f", "another")
	before, err := server.Fs().Stat("/f")
	require.NoError(t, err)

	require.NoError(t, f.Chmod(0o600))
	when := time.Unix(1e9, 0)
	require.NoError(t, c.Chtimes("/moved", when, when))
	require.NoError(t, f.Chown(7, 8))
	fi, err := f.Stat()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), fi.Mode())
	require.Equal(t, when, fi.ModTime())
	other, err := server.Fs().Stat("/f")
	require.NoError(t, err)
	require.Equal(t, before.Mode(), other.Mode())
	require.Equal(t, before.ModTime(), other.ModTime())

	require.NoError(t, c.Remove("/moved"))
	require.NoError(t, f.Chmod(0o640))
	fi, err = f.Stat()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), fi.Mode())
	require.NoError(t, f.Close())
}

// OpenSSH answers ENOTDIR with NO_SUCH_FILE.
func TestDirectoryDoesNotReplaceAFile(t *testing.T) {
	t.Parallel()
	server, c := startWith(t)
	put(t, server, "/f", "content")
	require.NoError(t, c.Mkdir("/d"))
	requireStatus(t, sftptest.StatusNoSuchFile, c.PosixRename("/d", "/f"))
	requireContent(t, server, "/f", "content")
}
