package sftpfs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// What a client of the program's own offers is what the Fs uses.
func TestExtensionsOfAClient(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	c, err := sftpfs.NewClient(dialOpenSSH(t, server), server.Root).Capabilities(t.Context())
	require.NoError(t, err)
	for _, name := range []string{"limits@openssh.com", "fsync@openssh.com", "posix-rename@openssh.com", "statvfs@openssh.com"} {
		require.Contains(t, c.Extensions, name)
	}
}
