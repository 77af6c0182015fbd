package sshauth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/sftpsyncer/go-syncfs/internal/link"
)

// userKeys returns two keys, an RSA one and an ed25519 one.
func userKeys(t testing.TB) (rsaSigner, ed ssh.Signer) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaSigner, err = ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return rsaSigner, edSigner(t, 1)
}

// A keyPair is a key of a user's in a file.
type keyPair struct {
	private ed25519.PrivateKey
	public  ssh.PublicKey
	file    string
}

// newKey writes a private key, encrypted if there is a passphrase.
func newKey(t testing.TB, file string, seed byte, passphrase string) keyPair {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	return keyPair{private, edKey(t, seed), file}
}

// certify writes a certificate beside the key.
func (k keyPair) certify(t testing.TB, key ssh.PublicKey) {
	t.Helper()
	c := &ssh.Certificate{Key: key, CertType: ssh.UserCert, ValidPrincipals: []string{"me"}, ValidBefore: ssh.CertTimeInfinity}
	require.NoError(t, c.SignCert(rand.Reader, edSigner(t, 99)))
	require.NoError(t, os.WriteFile(k.file+"-cert.pub", ssh.MarshalAuthorizedKey(c), 0o600))
}

// offers are the ways to log in that a client tries, in order: what is in Words, and the kinds of keys with their fingerprints.
func offers(t testing.TB, c Credentials) (tried []string) {
	t.Helper()
	if c.Algorithms == nil {
		a, err := Algorithms{}.Resolved()
		require.NoError(t, err)
		c.Algorithms = a.PublicKeys
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	require.NoError(t, c.ReadKeys())
	config := &ssh.ServerConfig{
		MaxAuthTries: -1,
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			tried = append(tried, offered(key))
			return nil, errors.New("no")
		},
		PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			tried = append(tried, "password "+string(password))
			return nil, errors.New("no")
		},
		KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			tried = append(tried, strings.Join(append(answers, "keyboard"), " "))
			return nil, errors.Join(err, errors.New("no"))
		},
	}
	config.AddHostKey(edSigner(t, 100))
	near, far := link.Pipe(link.Options{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer far.Close()
		_, _, _, err := ssh.NewServerConn(far, config)
		require.Error(t, err)
	})
	methods, done := c.Methods(t.Context())
	defer done()
	_, _, _, err := ssh.NewClientConn(near, "", &ssh.ClientConfig{User: "me", Auth: methods, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	require.Error(t, err)
	near.Close()
	wg.Wait()
	return tried
}

func offered(key ssh.PublicKey) string {
	if c, ok := key.(*ssh.Certificate); ok {
		return "certificate of " + ssh.FingerprintSHA256(c.Key)
	}
	return ssh.FingerprintSHA256(key)
}

func TestGivenKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := newKey(t, filepath.Join(dir, "plain"), 1, "")
	locked := newKey(t, filepath.Join(dir, "locked"), 2, "s3cret")
	locked.certify(t, locked.public)
	asked := 0
	c := Credentials{KeyFiles: []string{plain.file, locked.file}, Passphrase: func(file string) ([]byte, error) {
		asked++
		require.Equal(t, locked.file, file)
		return []byte("s3cret"), nil
	}}
	require.Equal(t, []string{offered(plain.public), "certificate of " + offered(locked.public), offered(locked.public)}, offers(t, c))
	require.Equal(t, 1, asked)
	c.Algorithms = []string{ssh.CertAlgoED25519v01}
	require.Equal(t, []string{"certificate of " + offered(locked.public)}, offers(t, c))

	require.Empty(t, offers(t, Credentials{KeyFiles: []string{}}))
	c = Credentials{KeyFiles: []string{plain.file}, Password: "s3cret"}
	require.Equal(t, []string{offered(plain.public), "password s3cret", "s3cret keyboard"}, offers(t, c), "the given key comes first")
}

func TestReadKeysRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	missing, garbage := filepath.Join(dir, "missing"), filepath.Join(dir, "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte("garbage"), 0o600))
	locked := newKey(t, filepath.Join(dir, "locked"), 2, "s3cret")
	nobody := errors.New("nobody there")
	for name, c := range map[string]struct {
		file       string
		passphrase func(string) ([]byte, error)
		is         error
	}{
		"missing":              {missing, nil, fs.ErrNotExist},
		"garbage":              {garbage, nil, nil},
		"no passphrase":        {locked.file, nil, nil},
		"passphrase not given": {locked.file, func(string) ([]byte, error) { return nil, nobody }, nobody},
		"wrong passphrase":     {locked.file, func(string) ([]byte, error) { return []byte("wr0ng"), nil }, nil},
	} {
		err := (&Credentials{KeyFiles: []string{c.file}, Passphrase: c.passphrase}).ReadKeys()
		require.ErrorContains(t, err, "key file", name)
		require.ErrorContains(t, err, c.file, name)
		require.NotContains(t, err.Error(), "wr0ng", name)
		if c.is != nil {
			require.ErrorIs(t, err, c.is, name)
		}
	}
}

// A certificate that cannot be used is passed over, and told of.
func TestUselessCertificate(t *testing.T) {
	t.Parallel()
	key := newKey(t, filepath.Join(t.TempDir(), "id"), 1, "")
	var log bytes.Buffer
	c := Credentials{KeyFiles: []string{key.file}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	require.Equal(t, []string{offered(key.public)}, offers(t, c))
	require.Empty(t, log.String(), "there is none")
	for name, write := range map[string]func(){
		"garbage": func() { require.NoError(t, os.WriteFile(key.file+"-cert.pub", []byte("garbage"), 0o600)) },
		"a key": func() {
			require.NoError(t, os.WriteFile(key.file+"-cert.pub", ssh.MarshalAuthorizedKey(key.public), 0o600))
		},
		"of another": func() { key.certify(t, edKey(t, 5)) },
	} {
		log.Reset()
		write()
		require.Equal(t, []string{offered(key.public)}, offers(t, c), name)
		require.Contains(t, log.String(), "certificate not used", name)
	}
}

// A question whose answer is shown asks for something else than the password.
func TestAnswer(t *testing.T) {
	t.Parallel()
	c := Credentials{Password: "s3cret"}
	answers, err := c.answer("", "", []string{"Password: ", "Again: "}, []bool{false, false})
	require.NoError(t, err)
	require.Equal(t, []string{"s3cret", "s3cret"}, answers)
	_, err = c.answer("", "", []string{"Password: ", "Token: "}, []bool{false, true})
	require.ErrorContains(t, err, "more than a password")
}

// startAgent runs an ssh-agent that holds keys, and returns its socket.
func startAgent(t testing.TB, keys ...keyPair) string {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		require.NoError(t, ring.Add(agent.AddedKey{PrivateKey: k.private}))
	}
	return serveAgent(t, func(c net.Conn) { _ = agent.ServeAgent(ring, c) })
}

func serveAgent(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // the path of a socket must be short
	require.NoError(t, err)
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait(); os.RemoveAll(dir) })
	return socket
}

// The user's own keys are those of the agent that are meant, the others of the agent, and those in files. This sets environment
// variables, and so does not run in parallel.
func TestOwnKeys(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	require.Empty(t, offers(t, Credentials{}), "there are none")
	first := newKey(t, filepath.Join(home, ".ssh", "id_ed25519"), 1, "")
	locked := newKey(t, filepath.Join(home, ".ssh", "id_rsa"), 2, "s3cret")
	agents := newKey(t, filepath.Join(home, "agents"), 3, "")
	elsewhere := newKey(t, filepath.Join(home, "elsewhere"), 4, "")
	require.Equal(t, []string{offered(first.public)}, offers(t, Credentials{}), "the encrypted one is passed over")
	require.Equal(t, []string{"password p", "p keyboard", offered(first.public)}, offers(t, Credentials{Password: "p"}),
		"servers count attempts")
	asked := 0
	phrase := func(string) ([]byte, error) { asked++; return []byte("s3cret"), nil }
	require.Equal(t, []string{offered(first.public), offered(locked.public)}, offers(t, Credentials{Passphrase: phrase}))
	require.Equal(t, 1, asked)

	t.Setenv("SSH_AUTH_SOCK", filepath.Join(home, "gone"))
	require.Equal(t, []string{offered(first.public)}, offers(t, Credentials{}), "there is no agent at the socket")
	t.Setenv("SSH_AUTH_SOCK", startAgent(t, agents, locked))
	locked.certify(t, locked.public)
	require.Equal(t, []string{offered(locked.public), offered(agents.public), "certificate of " + offered(locked.public), offered(first.public)},
		sortedAfter(2, offers(t, Credentials{Passphrase: phrase})))
	require.Equal(t, 1, asked, "the agent has it: nobody is asked for its passphrase")

	public := filepath.Join(home, "public.pub")
	require.NoError(t, os.WriteFile(public, ssh.MarshalAuthorizedKey(agents.public), 0o600))
	only := Credentials{IdentityFiles: []string{elsewhere.file, public}, IdentitiesOnly: true}
	require.Equal(t, []string{offered(agents.public), offered(elsewhere.public)}, offers(t, only))
	only.IdentityFiles = []string{strings.TrimSuffix(public, ".pub")}
	require.Equal(t, []string{offered(agents.public)}, offers(t, only), "its public half is beside it")
	only.IdentityFiles = []string{}
	require.Empty(t, offers(t, only))
	require.Empty(t, offers(t, Credentials{IdentityFiles: []string{filepath.Join(home, "none")}, IdentitiesOnly: true}))
}

// sortedAfter sorts what follows the first n.
func sortedAfter(n int, all []string) []string {
	slices.SortFunc(all[min(n, len(all)):], func(a, b string) int { return strings.Compare(b, a) })
	return all
}

// An agent that is silent is given up with the attempt.
func TestSilentAgent(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	first := newKey(t, filepath.Join(home, ".ssh", "id_ed25519"), 1, "")
	ctx, cancel := context.WithCancel(t.Context())
	t.Setenv("SSH_AUTH_SOCK", serveAgent(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		cancel()
		_, _ = c.Read(make([]byte, 1<<10)) // what is left of the question
		_, _ = c.Read(make([]byte, 1))
	}))
	c := Credentials{Logger: slog.New(slog.DiscardHandler)}
	var opened closers
	keys := c.ownKeys(ctx, &opened)
	opened.close()
	require.Len(t, keys, 1)
	require.Equal(t, first.public.Marshal(), keys[0].PublicKey().Marshal())
}
