package sftpfs

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/textfile"
)

// methods returns the ways to log in: what the program gave, or else what the user has.
func (d *dialer) methods(ctx context.Context, l *login) []ssh.AuthMethod {
	if d.cfg.Auth != nil {
		return d.cfg.Auth
	}
	keys := []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
		if d.cfg.KeyFiles != nil {
			return d.cfg.Algorithms.allowed(d.givenKeys()), nil
		}
		return d.cfg.Algorithms.allowed(d.ownKeys(ctx, l)), nil
	})}
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
		pem, err := textfile.Read(file)
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
func (d *dialer) givenKeys() (keys []ssh.Signer) {
	for i, key := range d.keys {
		keys = append(keys, d.withCertificate(d.cfg.KeyFiles[i], key)...)
	}
	return keys
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
