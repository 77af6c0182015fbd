// Package sshauth authenticates both sides of an SSH connection: it logs in with passwords, key files, certificates and
// the keys of an agent, and checks host keys against known_hosts files.
package sshauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/textfile"
)

// Credentials are what a user logs in with.
type Credentials struct {
	Password string // also answers questions that do not echo the answer; "": none

	// KeyFiles are private keys. nil selects the user's own keys: those of the agent at SSH_AUTH_SOCK, then
	// IdentityFiles.
	KeyFiles []string
	// IdentityFiles are skipped if they cannot be used. nil selects the default files in ~/.ssh.
	IdentityFiles []string
	// IdentitiesOnly leaves out the keys of the agent that are not in IdentityFiles.
	IdentitiesOnly bool
	// Passphrase returns the passphrase of an encrypted file. nil: such files cannot be used.
	Passphrase func(file string) ([]byte, error)

	Algorithms []string // with which keys may log in
	Logger     *slog.Logger

	keys []ssh.Signer // of KeyFiles
}

// ReadKeys reads KeyFiles. Call it before Methods.
func (c *Credentials) ReadKeys() error {
	c.keys = make([]ssh.Signer, len(c.KeyFiles))
	for i, file := range c.KeyFiles {
		pem, err := textfile.Read(file)
		if err != nil {
			return fmt.Errorf("key file: %w", err)
		}
		if c.keys[i], err = c.parseKey(file, pem); err != nil {
			return fmt.Errorf("key file %s: %w", file, err)
		}
	}
	return nil
}

// Methods returns the authentication methods for one attempt to log in. The caller calls done after the attempt. When
// ctx ends, the agent is no longer asked.
func (c *Credentials) Methods(ctx context.Context) (methods []ssh.AuthMethod, done func()) {
	var opened closers
	keys := []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
		if c.KeyFiles != nil {
			return restrict(c.givenKeys(), c.Algorithms), nil
		}
		return restrict(c.ownKeys(ctx, &opened), c.Algorithms), nil
	})}
	if c.Password == "" {
		return keys, opened.close
	}
	words := []ssh.AuthMethod{ssh.Password(c.Password), ssh.KeyboardInteractive(c.answer)}
	if c.KeyFiles == nil {
		// Servers count attempts, and an agent may hold many keys, so the password that the program gave comes first.
		return append(words, keys...), opened.close
	}
	return append(keys, words...), opened.close
}

// closers are what the authentication has opened.
type closers []io.Closer

func (all *closers) close() {
	for _, c := range *all {
		c.Close()
	}
}

// answer gives the password to every question that does not echo the answer. A question that echoes the answer asks for
// something else, which must not become the password.
func (c *Credentials) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range questions {
		if echos[i] {
			return nil, errors.New("the server asks more than a password")
		}
		answers[i] = c.Password
	}
	return answers, nil
}

// givenKeys returns the keys of KeyFiles, with their certificates.
func (c *Credentials) givenKeys() (keys []ssh.Signer) {
	for i, key := range c.keys {
		keys = append(keys, c.withCertificate(c.KeyFiles[i], key)...)
	}
	return keys
}

func (c *Credentials) parseKey(file string, pem []byte) (ssh.Signer, error) {
	key, err := ssh.ParsePrivateKey(pem)
	var encrypted *ssh.PassphraseMissingError
	if !errors.As(err, &encrypted) || c.Passphrase == nil {
		return key, err
	}
	phrase, err := c.Passphrase(file)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	return ssh.ParsePrivateKeyWithPassphrase(pem, phrase)
}
