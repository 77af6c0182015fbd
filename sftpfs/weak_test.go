package sftpfs_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A server that has nothing but what is weak is not used unless the program says so.
func TestWeakServer(t *testing.T) {
	t.Parallel()
	const reached = "opening a channel"
	for name, c := range map[string]struct {
		server ssh.Config
		widen  sftpfs.Algorithms
		says   string
	}{
		"key exchange": {ssh.Config{KeyExchanges: []string{"diffie-hellman-group14-sha1"}},
			sftpfs.Algorithms{KeyExchanges: []string{"+diffie-hellman-group14-sha1"}}, "no common algorithm for key exchange"},
		"MAC": {ssh.Config{Ciphers: []string{"aes128-ctr"}, MACs: []string{"hmac-sha1"}},
			sftpfs.Algorithms{MACs: []string{"+hmac-sha1"}}, "no common algorithm for client to server MAC"},
		"short MAC": {ssh.Config{Ciphers: []string{"aes128-ctr"}, MACs: []string{"hmac-sha1-96"}},
			sftpfs.Algorithms{MACs: []string{"^hmac-sha1*"}}, "no common algorithm for client to server MAC"},
		"cipher": {ssh.Config{Ciphers: []string{"aes128-cbc"}},
			sftpfs.Algorithms{Ciphers: []string{"*"}}, "no common algorithm for client to server cipher"},
	} {
		refused := serveOnce(t, &ssh.ServerConfig{Config: c.server, NoClientAuth: true})
		err := connect(t, refused)
		require.ErrorIs(t, err, sftpfs.ErrUnavailable, name)
		require.ErrorContains(t, err, c.says, name)

		widened := serveOnce(t, &ssh.ServerConfig{Config: c.server, NoClientAuth: true})
		widened.Algorithms = c.widen
		require.ErrorContains(t, connect(t, widened), reached, name)
	}
	// What is strong can be left out, too.
	narrowed := serveOnce(t, &ssh.ServerConfig{Config: ssh.Config{Ciphers: []string{"aes128-ctr"}}, NoClientAuth: true})
	narrowed.Algorithms.Ciphers = []string{"-*-ctr"}
	require.ErrorContains(t, connect(t, narrowed), "no common algorithm for client to server cipher")
}

// rsaSigner returns a key that signs by these algorithms alone, and a file that has it.
func rsaSigner(t *testing.T, algorithms ...string) (signer ssh.Signer, file string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	any, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	signer, err = ssh.NewSignerWithAlgorithms(any.(ssh.AlgorithmSigner), algorithms)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	file = filepath.Join(t.TempDir(), "id_rsa")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	return signer, file
}

func TestHostKeyBySHA1(t *testing.T) {
	t.Parallel()
	weak, _ := rsaSigner(t, ssh.KeyAlgoRSA)
	server := newServer(t, &sftptest.Options{HostKeys: []ssh.Signer{weak}})
	cfg := server.Config()
	require.ErrorContains(t, connect(t, cfg), "no common algorithm for host key")

	cfg.HostKeyCallback = nil
	cfg.KnownHosts = []string{knownHostsFile(t, knownhosts.Line([]string{server.Addr()}, weak.PublicKey()))}
	err := connect(t, cfg)
	require.ErrorIs(t, err, sftpfs.ErrHostKey)
	require.ErrorContains(t, err, "the server has ssh-rsa, of which Algorithms.HostKeys has none for a known key")
	cfg.Algorithms.HostKeys = []string{"ssh-ed25519"}
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrHostKey)
	require.ErrorContains(t, connect(t, cfg), "Algorithms.HostKeys, ssh-ed25519, has none for the known keys")

	cfg.Algorithms.HostKeys = []string{"+ssh-rsa"}
	require.NoError(t, connect(t, cfg))
}

// The key of a known host is still asked for by its kind, and of a new one any that is allowed.
func TestHostKeyAlgorithms(t *testing.T) {
	t.Parallel()
	ed, ec := hostKeys(t)
	server := newServer(t, &sftptest.Options{HostKeys: []ssh.Signer{ec, ed}})
	for _, kind := range []ssh.Signer{ed, ec} {
		cfg := accepting(server, filepath.Join(t.TempDir(), "known_hosts"))
		cfg.Algorithms.HostKeys = []string{kind.PublicKey().Type()}
		require.NoError(t, connect(t, cfg))
		text, err := os.ReadFile(cfg.KnownHosts[0])
		require.NoError(t, err)
		require.Contains(t, string(text), keyText(kind.PublicKey()))
	}
}

func TestLoginBySHA1(t *testing.T) {
	t.Parallel()
	key, file := rsaSigner(t, ssh.KeyAlgoRSA)
	asked := 0
	serve := func(list ...string) error {
		cfg := serveOnce(t, &ssh.ServerConfig{
			PublicKeyAuthAlgorithms: []string{ssh.KeyAlgoRSA},
			PublicKeyCallback: func(_ ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
				asked++
				require.Equal(t, key.PublicKey().Marshal(), offered.Marshal())
				return nil, nil
			},
		})
		cfg.KeyFiles = []string{file}
		cfg.Algorithms.PublicKeys = list
		return connect(t, cfg)
	}
	require.ErrorIs(t, serve(), sftpfs.ErrAuth)
	require.ErrorIs(t, serve("ssh-ed25519"), sftpfs.ErrAuth)
	require.Zero(t, asked)
	require.ErrorContains(t, serve("+ssh-rsa"), "opening a channel")
}
