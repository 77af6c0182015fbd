package sftpservers_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/internal/sftpservers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPickup(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	client := dial(t, server)
	pickup := sftpservers.StartPickup(t, server.Root)
	in := func(name string) string { return filepath.Join(server.Root, name) }
	require.Empty(t, pickup.Taken())

	// A file is taken when it is closed, and not before.
	f, err := client.Create(in("a"))
	require.NoError(t, err)
	_, err = f.Write([]byte("first"))
	require.NoError(t, err)
	require.Empty(t, pickup.Taken())
	_, err = client.Stat(in("a"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, []sftpservers.Taken{{"a", "first"}}, pickup.Taken())
	_, err = client.Stat(in("a"))
	require.ErrorIs(t, err, os.ErrNotExist)

	// So is one of the same name, and one that comes from elsewhere, but no directory and nothing in one.
	require.NoError(t, client.Mkdir(in("d")))
	f, err = client.Create(in("d/b"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	f, err = client.Create(in("a"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, client.PosixRename(in("d/b"), in("b")))
	require.Equal(t, []sftpservers.Taken{{"a", "first"}, {"a", ""}, {"b", ""}}, pickup.Taken())

	// What is only read stays, and so does what was there before.
	before := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(before, "old"), nil, 0o600))
	other := sftpservers.StartPickup(t, before)
	_, err = os.ReadFile(filepath.Join(before, "old"))
	require.NoError(t, err)
	require.Empty(t, other.Taken())
	require.FileExists(t, filepath.Join(before, "old"))
}

func dial(t *testing.T, s *opensshtest.Server) *sftp.Client {
	t.Helper()
	pem, err := os.ReadFile(s.KeyFile)
	require.NoError(t, err)
	key, err := ssh.ParsePrivateKey(pem)
	require.NoError(t, err)
	conn, err := ssh.Dial("tcp", s.Addr, &ssh.ClientConfig{
		User: s.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(); _ = conn.Wait() })
	client, err := sftp.NewClient(conn)
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}
