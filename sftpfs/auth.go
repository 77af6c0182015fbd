package sftpfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

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
		keys = []ssh.AuthMethod{ssh.PublicKeys(d.keys...)}
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
		if held(keys, pem) {
			continue
		}
		if key, err := parseKey(file, pem, d.cfg.Passphrase); err == nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// held tells whether the agent has the encrypted key in pem already, so that nobody is asked for its passphrase.
func held(keys []ssh.Signer, pem []byte) bool {
	_, err := ssh.ParsePrivateKey(pem)
	var encrypted *ssh.PassphraseMissingError
	if !errors.As(err, &encrypted) || encrypted.PublicKey == nil {
		return false
	}
	return slices.ContainsFunc(keys, func(k ssh.Signer) bool {
		return bytes.Equal(k.PublicKey().Marshal(), encrypted.PublicKey.Marshal())
	})
}

type stopper func() bool

func (s stopper) Close() error { s(); return nil }
