package sftpfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// defaultKeys are looked for in ~/.ssh, in this order.
var defaultKeys = []string{"id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk", "id_dsa"}

// methods returns the ways to log in: what the program gave, or else what the user has.
func (d *dialer) methods(ctx context.Context, l *login) []ssh.AuthMethod {
	if d.cfg.Auth != nil {
		return d.cfg.Auth
	}
	var keys []ssh.AuthMethod
	if d.cfg.KeyFiles != nil {
		keys = []ssh.AuthMethod{ssh.PublicKeysCallback(d.givenKeys)}
	} else {
		keys = []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) { return d.ownKeys(ctx, l) })}
	}
	if d.cfg.Password == "" {
		return keys
	}
	words := []ssh.AuthMethod{ssh.Password(d.cfg.Password), ssh.KeyboardInteractive(d.answer)}
	if d.cfg.KeyFiles == nil {
		// Servers count attempts, and an agent may hold many keys: the password the program gave comes first.
		return append(words, keys...)
	}
	return append(keys, words...)
}

// answer gives the password to every question whose answer is not shown. A question that is shown asks for
// something else, which must not become the password.
func (d *dialer) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range questions {
		if echos[i] {
			return nil, errors.New("the server asks more than a password")
		}
		answers[i] = d.cfg.Password
	}
	return answers, nil
}

// readKeys reads the key files that the program named.
func readKeys(cfg Config) ([]ssh.Signer, error) {
	keys := make([]ssh.Signer, len(cfg.KeyFiles))
	for i, file := range cfg.KeyFiles {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("key file: %w", err)
		}
		if keys[i], err = parseKey(file, pem, cfg.Passphrase); err != nil {
			return nil, fmt.Errorf("key file %s: %w", file, err)
		}
	}
	return keys, nil
}

// givenKeys returns the keys that the program named.
func (d *dialer) givenKeys() ([]ssh.Signer, error) {
	var keys []ssh.Signer
	for i, key := range d.keys {
		keys = append(keys, d.withCertificate(d.cfg.KeyFiles[i], key)...)
	}
	return keys, nil
}

// withCertificate returns what to log in with by the key in file: the certificate beside it, if there is one, and the
// key itself. One that can't be used is passed over, as ssh does.
func (d *dialer) withCertificate(file string, key ssh.Signer) []ssh.Signer {
	certificate, err := readCertificate(file+"-cert.pub", key)
	switch {
	case err == nil:
		return []ssh.Signer{certificate, key}
	case !errors.Is(err, fs.ErrNotExist):
		d.cfg.Logger.Warn("sftpfs: certificate not used", "file", file+"-cert.pub", "err", err)
	}
	return []ssh.Signer{key}
}

func readCertificate(file string, key ssh.Signer) (ssh.Signer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, err
	}
	certificate, ok := public.(*ssh.Certificate)
	if !ok {
		return nil, errors.New("not a certificate")
	}
	return ssh.NewCertSigner(certificate, key)
}

func parseKey(file string, pem []byte, passphrase func(string) ([]byte, error)) (ssh.Signer, error) {
	key, err := ssh.ParsePrivateKey(pem)
	var encrypted *ssh.PassphraseMissingError
	if !errors.As(err, &encrypted) || passphrase == nil {
		return key, err
	}
	phrase, err := passphrase(file)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	return ssh.ParsePrivateKeyWithPassphrase(pem, phrase)
}

// ownKeys returns the user's keys: the agent's, then the default files'. What can't be used is passed over, as ssh
// does; the agent's connection stays open until l is done.
func (d *dialer) ownKeys(ctx context.Context, l *login) ([]ssh.Signer, error) {
	var keys []ssh.Signer
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" {
		if conn, err := new(net.Dialer).DialContext(ctx, "unix", socket); err == nil {
			l.closers = append(l.closers, conn)
			stop := context.AfterFunc(ctx, func() { conn.Close() }) // an agent may be as silent as a server
			l.closers = append(l.closers, stopper(stop))
			keys, _ = agent.NewClient(conn).Signers()
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return keys, nil
	}
	for _, name := range defaultKeys {
		file := filepath.Join(home, ".ssh", name)
		pem, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if key := held(keys, pem); key != nil {
			offers := d.withCertificate(file, key)
			keys = append(keys, offers[:len(offers)-1]...) // it is there already
			continue
		}
		if key, err := parseKey(file, pem, d.cfg.Passphrase); err == nil {
			keys = append(keys, d.withCertificate(file, key)...)
		}
	}
	return keys, nil
}

// held returns the agent's hold on the encrypted key in pem, so that nobody is asked for its passphrase, or nil.
func held(keys []ssh.Signer, pem []byte) ssh.Signer {
	_, err := ssh.ParsePrivateKey(pem)
	var encrypted *ssh.PassphraseMissingError
	if !errors.As(err, &encrypted) || encrypted.PublicKey == nil {
		return nil
	}
	for _, k := range keys {
		if bytes.Equal(k.PublicKey().Marshal(), encrypted.PublicKey.Marshal()) {
			return k
		}
	}
	return nil
}

type stopper func() bool

func (s stopper) Close() error { s(); return nil }
