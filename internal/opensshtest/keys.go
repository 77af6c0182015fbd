package opensshtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// keys are the key files of one server.
type keys struct {
	hosts      []hostKey
	client     string // private key of the user
	authorized string // the user's public key, in the format of authorized_keys
}

type hostKey struct {
	file   string
	public ssh.PublicKey
}

func writeKeys(dir string) (keys, error) {
	k := keys{client: filepath.Join(dir, "id_ed25519"), authorized: filepath.Join(dir, "authorized_keys")}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return keys{}, err
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keys{}, err
	}
	// Two kinds, like a stock server: a client that knows only one of them must still accept the host.
	for name, private := range map[string]crypto.Signer{"ssh_host_ed25519_key": ed, "ssh_host_ecdsa_key": ec} {
		file := filepath.Join(dir, name)
		public, err := writePrivateKey(file, private)
		if err != nil {
			return keys{}, err
		}
		k.hosts = append(k.hosts, hostKey{file, public})
	}
	_, user, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return keys{}, err
	}
	public, err := writePrivateKey(k.client, user)
	if err != nil {
		return keys{}, err
	}
	return k, os.WriteFile(k.authorized, ssh.MarshalAuthorizedKey(public), 0o600)
}

// writePrivateKey writes the key in OpenSSH's format and returns its public half.
func writePrivateKey(file string, private crypto.Signer) (ssh.PublicKey, error) {
	block, err := ssh.MarshalPrivateKey(private, "opensshtest")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, err
	}
	return ssh.NewPublicKey(private.Public())
}

// writeKnownHosts writes a known_hosts file that has every host key for addr, and returns its path.
func (k keys) writeKnownHosts(dir, addr string) (string, error) {
	var text []byte
	for _, host := range k.hosts {
		text = append(text, knownhosts.Line([]string{addr}, host.public)+"\n"...)
	}
	file := filepath.Join(dir, "known_hosts")
	return file, os.WriteFile(file, text, 0o600)
}
