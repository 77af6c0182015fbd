package sftpfs_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// certify has the authority sign a certificate of key, which holds for an hour.
func certify(t testing.TB, authority ssh.Signer, kind uint32, key ssh.PublicKey, principal string) *ssh.Certificate {
	t.Helper()
	now := time.Now()
	c := &ssh.Certificate{
		Key: key, CertType: kind, KeyId: "test", ValidPrincipals: []string{principal},
		ValidAfter: uint64(now.Add(-time.Hour).Unix()), ValidBefore: uint64(now.Add(time.Hour).Unix()),
	}
	require.NoError(t, c.SignCert(rand.Reader, authority))
	return c
}

// A certificate beside the key logs in on a server that knows the authority alone. It is looked for at each login.
func TestUserCertificate(t *testing.T) {
	t.Parallel()
	authority, stranger := hostKeys(t)
	trusted := filepath.Join(t.TempDir(), "authority.pub")
	require.NoError(t, os.WriteFile(trusted, ssh.MarshalAuthorizedKey(authority.PublicKey()), 0o600))
	server := opensshtest.Start(t, opensshtest.Options{Config: []string{fmt.Sprintf("TrustedUserCAKeys %q", trusted)}})
	key := newUserKey(t, filepath.Join(t.TempDir(), "id"), "")
	cfg := openSSHConfig(server)
	cfg.KeyFiles = []string{key.file}
	fsys := newFs(t, cfg)
	require.ErrorIs(t, fsys.Connect(t.Context()), sftpfs.ErrAuth)

	write := func(text []byte) { require.NoError(t, os.WriteFile(key.file+"-cert.pub", text, 0o600)) }
	write(ssh.MarshalAuthorizedKey(certify(t, stranger, ssh.UserCert, key.public, server.User)))
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrAuth)
	write(ssh.MarshalAuthorizedKey(certify(t, authority, ssh.UserCert, key.public, "somebody-else")))
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrAuth)
	write(ssh.MarshalAuthorizedKey(certify(t, authority, ssh.UserCert, key.public, server.User)))
	require.NoError(t, connect(t, cfg))
	require.Eventually(t, func() bool { return fsys.Connect(t.Context()) == nil }, soon, time.Millisecond)
}

// The key itself logs in although the file beside it is of no use.
func TestUselessCertificate(t *testing.T) {
	t.Parallel()
	authority, _ := hostKeys(t)
	key := newUserKey(t, filepath.Join(t.TempDir(), "id"), "")
	other := newUserKey(t, filepath.Join(t.TempDir(), "other"), "")
	server := newServer(t, &sftptest.Options{AuthorizedKeys: []ssh.PublicKey{key.public}})
	cfg := bare(server.Config())
	cfg.KeyFiles = []string{key.file}
	for name, text := range map[string][]byte{
		"garbage":       []byte("garbage"),
		"a key":         ssh.MarshalAuthorizedKey(key.public),
		"of another":    ssh.MarshalAuthorizedKey(certify(t, authority, ssh.UserCert, other.public, "test")),
		"of a stranger": ssh.MarshalAuthorizedKey(certify(t, authority, ssh.UserCert, key.public, "test")),
	} {
		require.NoError(t, os.WriteFile(key.file+"-cert.pub", text, 0o600))
		require.NoError(t, connect(t, cfg), name)
	}
}

// A host shows a certificate of an authority that is known.
func TestHostCertificate(t *testing.T) {
	t.Parallel()
	authority, stranger := hostKeys(t)
	ed, _ := hostKeys(t)
	with := func(c *ssh.Certificate) *sftptest.Server {
		signer, err := ssh.NewCertSigner(c, ed)
		require.NoError(t, err)
		return newServer(t, &sftptest.Options{HostKeys: []ssh.Signer{signer}})
	}
	good := certify(t, authority, ssh.HostCert, ed.PublicKey(), "127.0.0.1")
	expired := certify(t, authority, ssh.HostCert, ed.PublicKey(), "127.0.0.1")
	expired.ValidBefore = uint64(time.Now().Add(-time.Minute).Unix())
	require.NoError(t, expired.SignCert(rand.Reader, authority))
	line := "@cert-authority 127.0.0.* " + keyText(authority.PublicKey())
	for name, c := range map[string]struct {
		server  *sftptest.Server
		known   []string
		accepts bool
	}{
		"good":                {with(good), []string{line}, true},
		"of a stranger":       {with(certify(t, stranger, ssh.HostCert, ed.PublicKey(), "127.0.0.1")), []string{line}, false},
		"for another host":    {with(certify(t, authority, ssh.HostCert, ed.PublicKey(), "elsewhere")), []string{line}, false},
		"for a user":          {with(certify(t, authority, ssh.UserCert, ed.PublicKey(), "127.0.0.1")), []string{line}, false},
		"expired":             {with(expired), []string{line}, false},
		"authority of others": {with(good), []string{"@cert-authority elsewhere " + keyText(authority.PublicKey())}, false},
		"revoked":             {with(good), []string{line, "@revoked * " + keyText(ed.PublicKey())}, false},
		"no certificate":      {newServer(t, &sftptest.Options{HostKeys: []ssh.Signer{ed}}), []string{line}, false},
	} {
		for _, accept := range []bool{false, true} {
			if accept && name == "no certificate" {
				continue // an authority is no reason to refuse a new host that has none
			}
			cfg := c.server.Config()
			cfg.HostKeyCallback, cfg.KnownHosts, cfg.AcceptNewHost = nil, []string{knownHostsFile(t, c.known...)}, accept
			err := connect(t, cfg)
			if c.accepts {
				require.NoError(t, err, name)
			} else {
				require.ErrorIs(t, err, sftpfs.ErrHostKey, name)
			}
		}
	}
}

func TestHostCertificateOpenSSH(t *testing.T) {
	t.Parallel()
	authority, _ := hostKeys(t)
	dir := t.TempDir()
	host := newUserKey(t, filepath.Join(dir, "host"), "")
	certificate := ssh.MarshalAuthorizedKey(certify(t, authority, ssh.HostCert, host.public, "127.0.0.1"))
	require.NoError(t, os.WriteFile(host.file+"-cert.pub", certificate, 0o600))
	server := opensshtest.Start(t, opensshtest.Options{Config: []string{
		fmt.Sprintf("HostKey %q", host.file), fmt.Sprintf("HostCertificate %q", host.file+"-cert.pub"),
	}})
	cfg := openSSHConfig(server)
	cfg.KnownHosts = []string{knownHostsFile(t, "@cert-authority * "+keyText(authority.PublicKey()))}
	require.NoError(t, connect(t, cfg))
}
