package sftpservers

import (
	"crypto/ed25519"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// key is an ed25519 key, also in a file.
type key struct {
	signer ssh.Signer
	file   string
}

func newKey(t testing.TB, dir, name string) key {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, name)
	require.NoError(t, err)
	return key{signer, write(t, dir, name, string(pem.EncodeToMemory(block)))}
}

// authorized returns the public key as a line of authorized_keys.
func (k key) authorized() string { return string(ssh.MarshalAuthorizedKey(k.signer.PublicKey())) }
