package sftpfs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

func TestKeepsContent(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	fsys := newFs(t, openSSHConfig(server))
	require.True(t, fsys.KeepsContent())
	require.NoError(t, fsys.Close())
	require.False(t, fsys.KeepsContent())

	withoutSync := opensshtest.Start(t, opensshtest.Options{SFTPServerArgs: []string{"-P", "fsync"}})
	require.False(t, newFs(t, openSSHConfig(withoutSync)).KeepsContent(), "it may be another server's subsystem")

	embedded := newServer(t, nil)
	require.False(t, newFs(t, embedded.Config()).KeepsContent())
	require.False(t, sftpfs.NewClient(dialOpenSSH(t, server), server.Root).KeepsContent(), "nothing is known of the server")
}
