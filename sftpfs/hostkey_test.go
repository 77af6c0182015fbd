package sftpfs_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

func hostKeys(t testing.TB) (ed, ec ssh.Signer) {
	t.Helper()
	_, edKey, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ed, err = ssh.NewSignerFromKey(edKey)
	require.NoError(t, err)
	ec, err = ssh.NewSignerFromKey(ecKey)
	require.NoError(t, err)
	return ed, ec
}

func knownHostsFile(t testing.TB, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return file
}

func TestHostKeys(t *testing.T) {
	t.Parallel()
	ed, ec := hostKeys(t)
	otherEd, otherEc := hostKeys(t)
	server := newServer(t, &sftptest.Options{HostKeys: []ssh.Signer{ec, ed}})
	onlyEd := newServer(t, &sftptest.Options{HostKeys: []ssh.Signer{ed}})
	here := func(k ssh.Signer, s *sftptest.Server) string {
		return knownhosts.Line([]string{s.Addr()}, k.PublicKey())
	}
	_, port, err := net.SplitHostPort(server.Addr())
	require.NoError(t, err)

	for name, c := range map[string]struct {
		server *sftptest.Server
		known  []string
		says   []string // nil: accepted
	}{
		"known":                          {server, []string{here(ec, server), here(ed, server)}, nil},
		"known by one of its keys alone": {server, []string{here(ed, server)}, nil},
		"known by the other":             {server, []string{here(ec, server)}, nil},
		"known beside what is no line":   {server, []string{"x ssh-dss AAAAB3NzaC1kc3MAAAABAA==", "garbage", here(ed, server)}, nil},
		"hashed": {server, []string{
			knownhosts.Line([]string{knownhosts.HashHostname(knownhosts.Normalize(server.Addr()))}, ed.PublicKey()),
		}, nil},
		"by a pattern without port": {server, []string{strings.Replace(
			knownhosts.Line([]string{"x"}, ed.PublicKey()), "x ", "127.0.0.* ", 1)}, nil},
		"unknown": {server, []string{knownhosts.Line([]string{"elsewhere"}, ed.PublicKey())}, []string{"unknown"}},
		"known at another port": {server, []string{
			strings.Replace(here(ed, server), port, "1", 1)}, []string{"unknown"}},
		"changed": {server, []string{here(otherEd, server)}, []string{
			"changed", "ssh-ed25519", ssh.FingerprintSHA256(ed.PublicKey()), ssh.FingerprintSHA256(otherEd.PublicKey())}},
		"has no key of a known type": {onlyEd, []string{here(otherEc, onlyEd)}, []string{"changed", "ecdsa-sha2-nistp256"}},
		"revoked":                    {server, []string{here(ec, server), "@revoked * " + strings.SplitN(here(ec, server), " ", 2)[1]}, []string{"revoked"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := c.server.Config()
			cfg.HostKeyCallback = nil
			cfg.KnownHosts = []string{knownHostsFile(t, c.known...)}
			err := connect(t, cfg)
			if c.says == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, sftpfs.ErrHostKey)
			require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
			for _, s := range append(c.says, cfg.KnownHosts[0], c.server.Addr()) {
				require.ErrorContains(t, err, s)
			}
		})
	}
}

// Known hosts are read for each connection: a host that the user adds is known from then on.
func TestKnownHostsAreReadAnew(t *testing.T) {
	t.Parallel()
	ed, _ := hostKeys(t)
	server := newServer(t, &sftptest.Options{HostKeys: []ssh.Signer{ed}})
	cfg := server.Config()
	cfg.HostKeyCallback = nil
	cfg.KnownHosts = []string{knownHostsFile(t)}
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrHostKey)
	fsys := newFs(t, cfg)
	line := knownhosts.Line([]string{server.Addr()}, ed.PublicKey())
	require.NoError(t, os.WriteFile(cfg.KnownHosts[0], []byte(line+"\n"), 0o600))
	_, err := fsys.Stat("/")
	require.NoError(t, err)
}

func TestHostKeyCallback(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	_, other := hostKeys(t)
	cfg := server.Config()
	cfg.HostKeyCallback = ssh.FixedHostKey(other.PublicKey())
	err := connect(t, cfg)
	require.ErrorIs(t, err, sftpfs.ErrHostKey)
	require.ErrorContains(t, err, "ssh-ed25519 SHA256:")
}

// Without a file in the home directory every host is unknown.
func TestDefaultKnownHosts(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	ed, _ := hostKeys(t)
	server := newServer(t, &sftptest.Options{HostKeys: []ssh.Signer{ed}})
	cfg := server.Config()
	cfg.HostKeyCallback = nil
	err := connect(t, cfg)
	require.ErrorIs(t, err, sftpfs.ErrHostKey)
	file := filepath.Join(home, ".ssh", "known_hosts")
	require.ErrorContains(t, err, file)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	line := knownhosts.Line([]string{server.Addr()}, ed.PublicKey())
	require.NoError(t, os.WriteFile(file, []byte(line+"\n"), 0o600))
	require.NoError(t, connect(t, cfg))
}

// The server has an ed25519 and an ecdsa key; x/crypto alone would ask for the latter.
func TestOpenSSHKnownByEd25519Alone(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	all, err := os.ReadFile(server.KnownHosts)
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(string(all)) {
		if strings.Contains(line, "ssh-ed25519") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	require.NotEmpty(t, lines)
	cfg := openSSHConfig(server)
	cfg.KnownHosts = []string{knownHostsFile(t, lines...)}
	require.NoError(t, connect(t, cfg))
}
