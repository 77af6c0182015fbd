package opensshtest_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func dial(s *opensshtest.Server) (*ssh.Client, error) {
	pem, err := os.ReadFile(s.KeyFile)
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return nil, err
	}
	known, err := knownhosts.New(s.KnownHosts)
	if err != nil {
		return nil, err
	}
	return ssh.Dial("tcp", s.Addr, &ssh.ClientConfig{
		User: s.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: known,
	})
}

func connect(t *testing.T, s *opensshtest.Server) (*ssh.Client, *sftp.Client) {
	t.Helper()
	conn, err := dial(s)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	client, err := sftp.NewClient(conn)
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return conn, client
}

func TestServesItsRoot(t *testing.T) {
	t.Parallel()
	s := opensshtest.Start(t, opensshtest.Options{})
	_, client := connect(t, s)

	f, err := client.Create(s.Root + "/a.txt")
	require.NoError(t, err)
	_, err = f.Write([]byte("hello"))
	require.NoError(t, err)
	require.NoError(t, f.Close())

	got, err := os.ReadFile(filepath.Join(s.Root, "a.txt"))
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))
	_, posixRename := client.HasExtension("posix-rename@openssh.com")
	require.True(t, posixRename, "a stock server offers posix-rename")
}

func TestSFTPServerArgs(t *testing.T) {
	t.Parallel()
	s := opensshtest.Start(t, opensshtest.Options{SFTPServerArgs: []string{"-R"}})
	_, client := connect(t, s)
	err := client.Mkdir(s.Root + "/d")
	require.ErrorIs(t, err, os.ErrPermission)
}

func TestConfigLinesWin(t *testing.T) {
	t.Parallel()
	s := opensshtest.Start(t, opensshtest.Options{Config: []string{"MaxSessions 1"}})
	conn, _ := connect(t, s)
	_, err := sftp.NewClient(conn)
	require.Error(t, err, "a second session must be refused")
}

func TestEachHostKeyIsKnown(t *testing.T) {
	t.Parallel()
	s := opensshtest.Start(t, opensshtest.Options{})
	for _, algorithm := range []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256} {
		known, err := knownhosts.New(s.KnownHosts)
		require.NoError(t, err)
		offered := ""
		_, err = ssh.Dial("tcp", s.Addr, &ssh.ClientConfig{
			User: s.User, HostKeyAlgorithms: []string{algorithm}, HostKeyCallback: knownAs(known, &offered),
		})
		require.Error(t, err, "nobody logs in without a key")
		require.Equal(t, algorithm, offered, "the key must be offered and known: %v", err)
	}
}

// knownAs notes the type of the key that known accepted.
func knownAs(known ssh.HostKeyCallback, accepted *string) ssh.HostKeyCallback {
	return func(host string, addr net.Addr, key ssh.PublicKey) error {
		err := known(host, addr, key)
		if err == nil {
			*accepted = key.Type()
		}
		return err
	}
}

func TestStopKillsSessionsAndRestartKeepsTheAddress(t *testing.T) {
	t.Parallel()
	s := opensshtest.Start(t, opensshtest.Options{})
	_, client := connect(t, s)
	require.NoError(t, client.Mkdir(s.Root+"/d"))

	s.Stop()
	_, err := client.Stat(s.Root)
	require.Error(t, err, "the session must be gone")
	require.Error(t, client.Wait())
	_, err = dial(s)
	require.Error(t, err, "the port must be closed")
	s.Stop()

	addr := s.Addr
	s.Restart()
	require.Equal(t, addr, s.Addr)
	_, client = connect(t, s)
	_, err = client.Stat(s.Root + "/d")
	require.NoError(t, err)
}

// What a user's shell runs when it starts is neither waited for nor run.
func TestSessionsHaveAnEmptyHome(t *testing.T) {
	t.Parallel()
	s := opensshtest.Start(t, opensshtest.Options{})
	conn, _ := connect(t, s)
	session, err := conn.NewSession()
	require.NoError(t, err)
	out, err := session.Output(`cd && pwd && ls -A`)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(filepath.Dir(s.Root), "home")+"\n", string(out))
}
