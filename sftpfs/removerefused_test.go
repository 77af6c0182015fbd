package sftpfs_test

import (
	"io/fs"
	"os"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A refused removal is an answer. No other request for the same removal follows, which some servers would carry out, and a
// symbolic link that leads nowhere is not taken for one that was removed.
func TestRefusedRemoval(t *testing.T) {
	t.Parallel()
	for _, borrowed := range []bool{false, true} {
		var mu sync.Mutex // guards removals
		var removals []sftptest.Kind
		server := sftptest.Start(t, sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
			if r.Kind == sftptest.Remove || r.Kind == sftptest.Rmdir {
				mu.Lock()
				defer mu.Unlock()
				removals = append(removals, r.Kind)
			}
			return r.Next()
		}), sftptest.Restricted(sftptest.Remove))
		put(t, server, "/f", "content")
		require.NoError(t, server.Fs().Mkdir("/d", 0o755))
		for _, link := range []string{"/dangling", "/d/dangling"} {
			require.NoError(t, server.Fs().(afero.Linker).SymlinkIfPossible("nowhere", link))
		}
		fsys := sftpfs.NewClient(dialServer(t, server), "/")
		if !borrowed {
			fsys = newFs(t, server.Config())
		}
		for name, remove := range map[string]func(string) error{
			"f": fsys.Remove, "dangling": fsys.Remove, "d": fsys.RemoveAll, "./dangling": fsys.RemoveAll,
		} {
			removals = nil
			err := remove(name)
			require.Error(t, err, name)
			require.NotErrorIs(t, err, fs.ErrNotExist, name)
			require.ErrorAs(t, err, new(*os.PathError), name)
			if !borrowed { // pkg/sftp sends more, and drops the first answer
				require.ErrorIs(t, err, fs.ErrPermission, name)
				require.Equal(t, []sftptest.Kind{sftptest.Remove}, removals, name)
			}
		}
	}
}
