package sftpfs_test

import (
	"os"
	"testing"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

func newServer(t testing.TB, opts *sftptest.Options) *sftptest.Server {
	t.Helper()
	server, err := sftptest.New(opts)
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	return server
}

func newFs(t testing.TB, cfg sftpfs.Config) *sftpfs.Fs {
	t.Helper()
	fsys, err := sftpfs.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, fsys.Close()) })
	return fsys
}

func openSSHConfig(server *opensshtest.Server) sftpfs.Config {
	return sftpfs.Config{
		Addr:       server.Addr,
		User:       server.User,
		KeyFiles:   []string{server.KeyFile},
		KnownHosts: []string{server.KnownHosts},
		Root:       server.Root,
	}
}

// dial returns a client of the test's own making, as a program has that uses NewClient.
func dial(t testing.TB, addr string, cfg *ssh.ClientConfig) *sftp.Client {
	t.Helper()
	conn, err := ssh.Dial("tcp", addr, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(); _ = conn.Wait() })
	client, err := sftp.NewClient(conn)
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

func dialServer(t testing.TB, server *sftptest.Server) *sftp.Client {
	t.Helper()
	cfg := server.Config()
	return dial(t, cfg.Addr, &ssh.ClientConfig{User: cfg.User, Auth: cfg.Auth, HostKeyCallback: cfg.HostKeyCallback})
}

func dialOpenSSH(t testing.TB, server *opensshtest.Server) *sftp.Client {
	t.Helper()
	pem, err := os.ReadFile(server.KeyFile)
	require.NoError(t, err)
	key, err := ssh.ParsePrivateKey(pem)
	require.NoError(t, err)
	known, err := knownhosts.New(server.KnownHosts)
	require.NoError(t, err)
	return dial(t, server.Addr, &ssh.ClientConfig{
		User: server.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: known,
	})
}

// put makes a file on the server, without the Fs.
func put(t testing.TB, server *sftptest.Server, name, content string) {
	t.Helper()
	require.NoError(t, afero.WriteFile(server.Fs(), name, []byte(content), 0o644))
}
