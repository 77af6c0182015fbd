package sftpfs_test

import (
	"io/fs"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// Refusals that leave another way, which is taken.
var dispensable = map[string][]sftptest.Kind{
	"lstat": {sftptest.Lstat}, "fstat": {sftptest.Fstat}, "fsetstat": {sftptest.Fsetstat}, "setstat": {sftptest.Setstat},
	"readlink": {sftptest.Readlink}, "posix-rename": {sftptest.PosixRename}, "limits": {"limits@openssh.com"},
	"fsync": {"fsync@openssh.com"}, "statvfs": {"statvfs@openssh.com"}, "rename": {sftptest.Rename},
	"fstat,fsetstat,lstat,posix-rename": {sftptest.Fstat, sftptest.Fsetstat, sftptest.Lstat, sftptest.PosixRename},
}

func TestRestrictedServer(t *testing.T) {
	t.Parallel()
	for name, kinds := range dispensable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys, _ := quirky(t, sftptest.Restricted(kinds...))
			requireWorks(t, fsys)
		})
		t.Run(name+", announced", func(t *testing.T) {
			t.Parallel()
			fsys, _ := quirky(t, refuse(sftptest.StatusPermissionDenied, kinds...))
			requireWorks(t, fsys)
		})
		t.Run(name+", unsupported, says OpenSSH", func(t *testing.T) {
			t.Parallel()
			fsys, _ := quirky(t, refuse(sftptest.StatusOpUnsupported, kinds...), version(openSSHVersion))
			requireWorks(t, fsys)
		})
		t.Run(name+", OpenSSH", func(t *testing.T) {
			t.Parallel()
			server := opensshtest.Start(t, opensshtest.Options{SFTPServerArgs: []string{"-P", name}})
			requireWorks(t, newFs(t, openSSHConfig(server)))
		})
	}
}

// requireWorks writes, moves, lists, reads and removes.
func requireWorks(t *testing.T, fsys *sftpfs.Fs) {
	t.Helper()
	require.NoError(t, fsys.MkdirAll("d/e", 0o755))
	require.NoError(t, afero.WriteFile(fsys, "d/part", []byte("content"), 0o640))
	require.NoError(t, fsys.Rename("d/part", "d/f"))
	require.NoError(t, fsys.Rename("d/e", "d/moved"))
	entries, err := fsys.ReadDir("d")
	require.NoError(t, err)
	require.Len(t, entries, 2)
	got, err := afero.ReadFile(fsys, "d/f")
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
	fi, _, err := fsys.LstatIfPossible("d/f")
	require.NoError(t, err)
	require.EqualValues(t, 7, fi.Size())
	if now := time.Now(); fi.Mode() != 0 {
		if err := fsys.Chtimes("d/f", now, now); err != nil {
			require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
		}
	}
	_, _, err = fsys.LstatIfPossible("d/missing")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, fsys.RemoveAll("d"))
	_, err = fsys.Stat("d")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// If posix-rename is refused, it is so once.
func TestRefusedReplaceIsRemembered(t *testing.T) {
	t.Parallel()
	var asked counter
	fsys, dir := quirky(t, asked.character(), refuse(sftptest.StatusPermissionDenied, sftptest.PosixRename))
	for _, name := range []string{"a", "b", "c"} {
		putFile(t, dir, name, name)
		require.NoError(t, fsys.Rename(name, name+"2"))
	}
	require.EqualValues(t, 1, asked.of(sftptest.PosixRename))
	require.ErrorIs(t, fsys.Rename("a2", "b2"), fs.ErrExist)
	require.ErrorIs(t, fsys.ReplaceFile("a2", "b2"), fs.ErrExist)
	requireFile(t, dir, "b2", "b", 0o644)
}
