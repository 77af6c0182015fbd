package sshauth

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/textfile"
)

// defaultKeys are looked for in ~/.ssh, in this order.
var defaultKeys = []string{"id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk", "id_dsa"}

// ownKeys returns the user's keys: the agent's, then those in files. Like ssh, it skips keys that cannot be used. It
// adds the connection to the agent, which signs, to opened.
func (c *Credentials) ownKeys(ctx context.Context, opened *closers) (keys []ssh.Signer) {
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" {
		if conn, err := new(net.Dialer).DialContext(ctx, "unix", socket); err == nil {
			stop := context.AfterFunc(ctx, func() { conn.Close() }) // an agent may fall silent, like a server
			*opened = append(*opened, conn, stopper(stop))
			keys, _ = agent.NewClient(conn).Signers()
		}
	}
	files := c.identityFiles()
	public := make([]ssh.PublicKey, len(files))
	for i, file := range files {
		public[i] = publicKey(file)
	}
	// Servers count the keys that they refuse, so those of the agent's keys that are in files come first.
	meant, others := split(keys, func(k ssh.Signer) bool {
		return slices.ContainsFunc(public, func(p ssh.PublicKey) bool { return holds(k, p) })
	})
	if c.IdentitiesOnly {
		others = nil
	}
	keys = slices.Concat(meant, others)
	for i, file := range files {
		if at := slices.IndexFunc(keys, func(k ssh.Signer) bool { return holds(k, public[i]) }); at >= 0 {
			// The agent has the key, so no passphrase is asked for.
			offers := c.withCertificate(file, keys[at])
			keys = append(keys, offers[:len(offers)-1]...)
			continue
		}
		pem, err := textfile.Read(file)
		if err != nil {
			continue
		}
		if key, err := c.parseKey(file, pem); err == nil {
			keys = append(keys, c.withCertificate(file, key)...)
		}
	}
	return keys
}

// identityFiles returns the files in which the user's keys are looked for.
func (c *Credentials) identityFiles() []string {
	if c.IdentityFiles != nil {
		return c.IdentityFiles
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	var files []string
	for _, name := range defaultKeys {
		files = append(files, filepath.Join(home, ".ssh", name))
	}
	return files
}

func split[T any](all []T, belongs func(T) bool) (yes, no []T) {
	for _, v := range all {
		if belongs(v) {
			yes = append(yes, v)
		} else {
			no = append(no, v)
		}
	}
	return yes, no
}

func holds(key ssh.Signer, public ssh.PublicKey) bool {
	return public != nil && bytes.Equal(key.PublicKey().Marshal(), public.Marshal())
}

// publicKey returns the public half of the key in file, which may be in a .pub file beside it, or nil.
func publicKey(file string) ssh.PublicKey {
	for _, name := range []string{file, file + ".pub"} {
		text, err := textfile.Read(name)
		if err != nil {
			continue
		}
		if public, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
			return public
		}
		key, err := ssh.ParsePrivateKey(text)
		if err == nil {
			return key.PublicKey()
		}
		var encrypted *ssh.PassphraseMissingError
		if errors.As(err, &encrypted) && encrypted.PublicKey != nil {
			return encrypted.PublicKey
		}
	}
	return nil
}

type stopper func() bool

func (s stopper) Close() error { s(); return nil }
