package syncfs

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/sftpservers"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// rclone empties a file that is opened without O_TRUNC, and fills it with zeros up to the first byte that is written. The
// others keep it, and are not known to.
func TestCutUploadToOtherServers(t *testing.T) {
	t.Parallel()
	servers := []string{"pkg/sftp Server"}
	if full() { // these have to be installed
		servers = append(servers, "rclone", "rclone writes", "ProFTPD")
	}
	for _, name := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := sftpservers.Start(t, name)
			l, err := link.New(server.Addr, link.Options{})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, l.Close()) })
			cfg := sftpfs.Config{Addr: l.Addr(), User: server.User, Password: server.Password, Root: server.Root,
				KeyFiles: []string{}, HostKeyCallback: ssh.FixedHostKey(server.HostKey)}
			if server.Password == "" {
				cfg.Auth = []ssh.AuthMethod{ssh.PublicKeys(server.Key)}
			}
			remote, err := sftpfs.New(cfg)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, remote.Close()) })
			s := newFs(t, remote, realDir(t), nil)
			content := bulk(1, 16)
			require.NoError(t, afero.WriteFile(s, "f", []byte(content), 0o644))
			cut := l.CutAfter(link.Up, 11*block)
			_, err = s.Push(t.Context())
			require.ErrorIs(t, err, ErrUnavailable)
			<-cut.Came()
			report, err := s.Push(t.Context())
			require.NoError(t, err)
			t.Logf("%d bytes went on, %d were sent", report.Results[0].Resumed, report.Results[0].Bytes)
			got, err := afero.ReadFile(remote, "f")
			require.NoError(t, err)
			require.True(t, content == string(got), "the server has something else")
			infos, err := afero.ReadDir(remote, "/")
			require.NoError(t, err)
			require.Len(t, infos, 1)
		})
	}
}
