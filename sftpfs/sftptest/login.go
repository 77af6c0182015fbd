package sftptest

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"slices"

	"golang.org/x/crypto/ssh"
)

var errRefused = errors.New("refused")

// serverConfig returns the configuration that decides who may log in, and how. own is the key that Server.Config uses.
func serverConfig(opts Options, own ssh.PublicKey) *ssh.ServerConfig {
	keys := append([]ssh.PublicKey{own}, opts.AuthorizedKeys...)
	cfg := &ssh.ServerConfig{
		ServerVersion: opts.Version,
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			return nil, admit(c.User() == opts.User && slices.ContainsFunc(keys, equal(key)))
		},
	}
	if opts.Password != "" {
		right := func(c ssh.ConnMetadata, password string) error {
			return admit(c.User() == opts.User &&
				subtle.ConstantTimeCompare([]byte(password), []byte(opts.Password)) == 1)
		}
		cfg.PasswordCallback = func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return nil, right(c, string(password))
		}
		cfg.KeyboardInteractiveCallback = func(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (
			*ssh.Permissions, error,
		) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return nil, err
			}
			return nil, right(c, answers[0])
		}
	}
	for _, k := range opts.HostKeys {
		cfg.AddHostKey(k)
	}
	return cfg
}

func admit(ok bool) error {
	if !ok {
		return errRefused
	}
	return nil
}

func equal(a ssh.PublicKey) func(ssh.PublicKey) bool {
	return func(b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }
}

// oneOf returns a callback that accepts the given host keys.
func oneOf(keys []ssh.PublicKey) ssh.HostKeyCallback {
	return func(_ string, _ net.Addr, key ssh.PublicKey) error {
		if !slices.ContainsFunc(keys, equal(key)) {
			return fmt.Errorf("not a host key of this server: %s", ssh.FingerprintSHA256(key))
		}
		return nil
	}
}
