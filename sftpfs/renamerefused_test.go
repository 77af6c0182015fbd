package sftpfs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// An object store renames files, but no directories, and sets modes, but no times.
func TestObjectStoreIsNotTakenForLess(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, sftptest.ObjectStore())
	fsys := newFs(t, server.Config())
	require.NoError(t, fsys.Mkdir("d", 0o777))
	require.NoError(t, fsys.Mkdir("e", 0o777))
	put(t, server, "/f", "content")
	for range 2 {
		require.ErrorIs(t, fsys.Rename("d", "new"), errors.ErrUnsupported)
		require.ErrorIs(t, fsys.Chtimes("f", time.Now(), time.Now()), errors.ErrUnsupported)
	}
	require.NoError(t, fsys.Chmod("f", 0o600))
	require.NoError(t, fsys.Rename("f", "e/f"))
	require.NoError(t, fsys.ReplaceFile("e/f", "e/g"))
	require.Equal(t, []string{"setstat times"}, refusedBy(t, fsys))
	require.ErrorIs(t, fsys.Rename("e", "d/e"), errors.ErrUnsupported)
	c, err := fsys.Capabilities(t.Context())
	require.NoError(t, err)
	require.True(t, c.AtomicReplace)
}

// A server that offers posix-rename and refuses it is a server without it.
func TestRefusedPosixRename(t *testing.T) {
	t.Parallel()
	for name, rename := range map[string]func(fsys *sftpfs.Fs, oldname, newname string) error{
		"Rename": (*sftpfs.Fs).Rename, "ReplaceFile": (*sftpfs.Fs).ReplaceFile,
	} {
		var counted counter
		refuses := func(r *sftptest.Request) sftptest.Answer {
			if r.Kind == sftptest.PosixRename {
				return sftptest.Refuse(sftptest.StatusOpUnsupported, "")
			}
			return r.Next()
		}
		server := sftptest.Start(t, counted.character(), sftptest.OnRequest(refuses))
		cfg := server.Config()
		cfg.AllowNonAtomicReplace = true
		fsys := newFs(t, cfg)
		c, err := fsys.Capabilities(t.Context())
		require.NoError(t, err)
		require.True(t, c.AtomicReplace)
		put(t, server, "/a", "content")
		require.NoError(t, rename(fsys, "a", "b"), name)
		tried := counted.of(sftptest.PosixRename)
		put(t, server, "/a", "content")
		require.NoError(t, rename(fsys, "a", "b"), name)
		require.NoError(t, rename(fsys, "b", "c"), name)
		require.Equal(t, tried, counted.of(sftptest.PosixRename), name)
		c, err = fsys.Capabilities(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"posix-rename@openssh.com"}, c.Refused, name)
		require.False(t, c.AtomicReplace, name)
	}
}
