package sftpfs_test

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// What a server answers about the login directory is not about the file that a call names.
func TestRefusedLoginDirectory(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		if r.Kind == sftptest.Realpath {
			return sftptest.Refuse(sftptest.StatusNoSuchFile, "no home")
		}
		return r.Next()
	}))
	put(t, server, "/f", "content")
	cfg := server.Config()
	for _, root := range []string{"", "some/where"} {
		cfg.Root = root
		for _, fsys := range []*sftpfs.Fs{newFs(t, cfg), sftpfs.NewClient(dialServer(t, server), root)} {
			_, err := fsys.Stat("f")
			require.ErrorIs(t, err, sftpfs.ErrUnavailable)
			require.NotErrorIs(t, err, fs.ErrNotExist)
			require.ErrorContains(t, err, "login directory")
			require.ErrorContains(t, err, fmt.Sprintf("Root %q is relative to it; an absolute one needs no answer", root))
		}
	}
}
