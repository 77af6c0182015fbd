package sshauth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// Whatever is in a known_hosts file, a key that is added for a new host counts afterwards, for that host alone, and what was
// in the file is still there.
func FuzzKnownHosts(f *testing.F) {
	key := func(seed byte) ssh.PublicKey {
		public := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)).Public()
		key, err := ssh.NewPublicKey(public)
		require.NoError(f, err)
		return key
	}
	ours, other, unknown := key(1), key(2), key(3)
	line := string(ssh.MarshalAuthorizedKey(other))
	for _, s := range []string{"", "host " + line, "*.example,!a.example " + line, "[host]:* " + line, "@revoked * " + line, "|1|x|y " + line,
		"@cert-authority * " + line, "host ssh-dss AAAA\n", "#"} {
		f.Add(s)
	}
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22}
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "known_hosts")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		known, err := ReadKnownHosts([]string{file}, true)
		if err != nil {
			return
		}
		const host, elsewhere = "new.example:22", "another.example:22"
		before := known.Check(elsewhere, addr, ours)
		added, err := known.CheckOrAdd(context.Background(), false, host, addr, ours)
		after, readErr := os.ReadFile(file)
		require.NoError(t, readErr)
		require.True(t, strings.HasPrefix(string(after), text))
		if known, readErr = ReadKnownHosts([]string{file}, true); added != "" {
			require.NoError(t, errors.Join(err, readErr))
			require.NoError(t, known.Check(host, addr, ours))
			require.Error(t, known.Check(host, addr, unknown))
			require.Equal(t, before == nil, known.Check(elsewhere, addr, ours) == nil)
		} else {
			require.Equal(t, text, string(after))
		}
	})
}
