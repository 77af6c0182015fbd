package sftpfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/sftpservers"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A following tree follows links also where it is asked not to, as ProFTPD does.
type following struct{ *afero.BasePathFs }

func (f following) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, err := f.Stat(name)
	if err != nil {
		return f.BasePathFs.LstatIfPossible(name)
	}
	return fi, true, nil
}

// Nothing is removed through a link by a server that follows it where it must not.
func TestRemoveAllSparesWhatALinkLeadsTo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tree := following{afero.NewBasePathFs(afero.NewOsFs(), dir).(*afero.BasePathFs)}
	server := newServer(t, &sftptest.Options{Fs: tree})
	_ = removeLink(t, sftpfs.NewClient(dialServer(t, server), "/"), dir) // it takes REMOVE for that of a directory, too
}

// ProFTPD's mod_sftp has only SSH_FX_OP_UNSUPPORTED for EINVAL. That it can't read the link that a directory is not says
// nothing about READLINK: without that, nobody would know that LSTAT has followed a link.
func TestInvalidArgumentIsNotUnsupported(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"Invalid parameter", "Invalid argument"} {
		dir := t.TempDir()
		tree := following{afero.NewBasePathFs(afero.NewOsFs(), dir).(*afero.BasePathFs)}
		server := newServer(t, &sftptest.Options{Fs: tree, Version: "SSH-2.0-mod_sftp",
			Hooks: []sftptest.Hook{func(r *sftptest.Request) sftptest.Answer {
				a := r.Next()
				if r.Kind == sftptest.Readlink && a.Status != sftptest.StatusOK {
					return sftptest.Refuse(sftptest.StatusOpUnsupported, message)
				}
				return a
			}}})
		fsys := newFs(t, server.Config())
		require.NoError(t, fsys.Mkdir("d", 0o755))
		_, err := fsys.ReadlinkIfPossible("d")
		require.ErrorIs(t, err, fs.ErrInvalid)
		require.NotErrorIs(t, err, errors.ErrUnsupported)
		_ = removeLink(t, fsys, dir) // as above
	}
}

func TestRemoveAllSparesWhatALinkLeadsToProFTPD(t *testing.T) {
	t.Parallel()
	if os.Getenv("SYNCFS_FULL") != "1" {
		return // it has to be installed
	}
	s := sftpservers.Start(t, "ProFTPD")
	require.NoError(t, removeLink(t, newFs(t, foreignConfig(t, s)), s.Root))
	client := dial(t, s.Addr, &ssh.ClientConfig{
		User: s.User, HostKeyCallback: ssh.FixedHostKey(s.HostKey), Auth: []ssh.AuthMethod{ssh.Password(s.Password)},
	})
	require.NoError(t, removeLink(t, sftpfs.NewClient(client, s.Root), s.Root))
	require.NoFileExists(t, filepath.Join(s.Root, "link"))
}

// removeLink takes an Fs and the directory that it shows.
func removeLink(t *testing.T, fsys *sftpfs.Fs, dir string) error {
	t.Helper()
	require.NoError(t, fsys.MkdirAll("kept/below", 0o755))
	require.NoError(t, os.Symlink("kept", filepath.Join(dir, "link")))
	err := fsys.RemoveAll("link")
	require.DirExists(t, filepath.Join(dir, "kept", "below"))
	return err
}
