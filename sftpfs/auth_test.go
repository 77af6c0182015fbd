package sftpfs_test

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A userKey is a key pair of a user's, in memory and in a file.
type userKey struct {
	private ed25519.PrivateKey
	public  ssh.PublicKey
	file    string
}

func newUserKey(t testing.TB, file, passphrase string) userKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	return userKey{private, signer.PublicKey(), file}
}

// startAgent runs an ssh-agent that holds keys, and returns its socket.
func startAgent(t testing.TB, keys ...userKey) string {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		require.NoError(t, ring.Add(agent.AddedKey{PrivateKey: k.private}))
	}
	dir, err := os.MkdirTemp("", "agent") // the path of a socket must be short
	require.NoError(t, err)
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = agent.ServeAgent(ring, c)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done; os.RemoveAll(dir) })
	return socket
}

// bare returns cfg without its credentials.
func bare(cfg sftpfs.Config) sftpfs.Config {
	cfg.Auth, cfg.KeyFiles, cfg.Password = nil, []string{}, ""
	return cfg
}

func connect(t testing.TB, cfg sftpfs.Config) error {
	t.Helper()
	return newFs(t, cfg).Connect(context.Background())
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	plain := newUserKey(t, filepath.Join(t.TempDir(), "plain"), "")
	locked := newUserKey(t, filepath.Join(t.TempDir(), "locked"), "s3cret")
	stranger := newUserKey(t, filepath.Join(t.TempDir(), "stranger"), "")
	server := newServer(t, &sftptest.Options{AuthorizedKeys: []ssh.PublicKey{plain.public, locked.public}})
	cfg := bare(server.Config())

	cfg.KeyFiles = []string{stranger.file, plain.file}
	require.NoError(t, connect(t, cfg))

	cfg.KeyFiles = []string{locked.file}
	cfg.Passphrase = func(file string) ([]byte, error) {
		require.Equal(t, locked.file, file)
		return []byte("s3cret"), nil
	}
	require.NoError(t, connect(t, cfg))

	cfg.KeyFiles = []string{stranger.file}
	err := connect(t, cfg)
	require.ErrorIs(t, err, sftpfs.ErrAuth)
	require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
	require.ErrorContains(t, err, server.Addr())

	cfg.KeyFiles = []string{}
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrAuth)

	cfg.KeyFiles, cfg.User = []string{plain.file}, "nobody"
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrAuth)
}

func TestPassword(t *testing.T) {
	t.Parallel()
	server := newServer(t, &sftptest.Options{User: "me", Password: "s3cret"})
	require.NoError(t, connect(t, server.Config()))

	cfg := bare(server.Config())
	cfg.Password = "wr0ng"
	err := connect(t, cfg)
	require.ErrorIs(t, err, sftpfs.ErrAuth)
	require.NotContains(t, err.Error(), "wr0ng")
	require.ErrorContains(t, err, "me")
}

// serveOnce is a server that has only the given ways to log in; it ends with the connection.
func serveOnce(t *testing.T, config *ssh.ServerConfig) sftpfs.Config {
	t.Helper()
	_, host, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(host)
	require.NoError(t, err)
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		conn, channels, requests, err := ssh.NewServerConn(c, config)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for ch := range channels {
			_ = ch.Reject(ssh.Prohibited, "no")
		}
		_ = conn.Wait()
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return sftpfs.Config{
		Addr: l.Addr().String(), User: "me", KeyFiles: []string{}, HostKeyCallback: ssh.FixedHostKey(signer.PublicKey()),
	}
}

func TestKeyboardInteractive(t *testing.T) {
	t.Parallel()
	answered := make(chan []string, 1)
	cfg := serveOnce(t, &ssh.ServerConfig{
		KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			answered <- answers
			return nil, err
		},
	})
	cfg.Password = "s3cret"
	err := connect(t, cfg)
	require.ErrorIs(t, err, sftpfs.ErrUnavailable, "logged in, and no SFTP there")
	require.Equal(t, []string{"s3cret"}, <-answered)
}

// A question whose answer is shown asks for something else than the password.
func TestKeyboardInteractiveKeepsPassword(t *testing.T) {
	t.Parallel()
	refused := make(chan error, 1)
	cfg := serveOnce(t, &ssh.ServerConfig{
		MaxAuthTries: 1,
		KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			_, err := ask("", "", []string{"Token: "}, []bool{true})
			refused <- err
			return nil, err
		},
	})
	cfg.Password = "s3cret"
	err := connect(t, cfg)
	require.ErrorIs(t, err, sftpfs.ErrAuth)
	require.NotContains(t, err.Error(), "s3cret")
	require.Error(t, <-refused)
}

// These set environment variables and so do not run in parallel.

func TestAgent(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	key := newUserKey(t, filepath.Join(t.TempDir(), "k"), "")
	server := newServer(t, &sftptest.Options{AuthorizedKeys: []ssh.PublicKey{key.public}})
	cfg := bare(server.Config())
	cfg.KeyFiles = nil

	t.Setenv("SSH_AUTH_SOCK", "")
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrAuth, "no agent, no keys")
	t.Setenv("SSH_AUTH_SOCK", filepath.Join(t.TempDir(), "gone"))
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrAuth, "no agent at the socket")
	t.Setenv("SSH_AUTH_SOCK", startAgent(t, key))
	require.NoError(t, connect(t, cfg))
}

func TestDefaultKeys(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	locked := newUserKey(t, filepath.Join(home, ".ssh", "id_ed25519"), "s3cret")
	plain := newUserKey(t, filepath.Join(home, ".ssh", "id_rsa"), "")
	server := newServer(t, &sftptest.Options{AuthorizedKeys: []ssh.PublicKey{plain.public}})
	cfg := bare(server.Config())
	cfg.KeyFiles = nil
	require.NoError(t, connect(t, cfg), "the encrypted one is passed over")

	server = newServer(t, &sftptest.Options{AuthorizedKeys: []ssh.PublicKey{locked.public}})
	cfg = bare(server.Config())
	cfg.KeyFiles = nil
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrAuth)
	asked := 0
	cfg.Passphrase = func(string) ([]byte, error) { asked++; return []byte("s3cret"), nil }
	require.NoError(t, connect(t, cfg))
	require.Equal(t, 1, asked)

	t.Setenv("SSH_AUTH_SOCK", startAgent(t, locked))
	require.NoError(t, connect(t, cfg))
	require.Equal(t, 1, asked, "the agent has the key: nobody is asked for its passphrase")
}
