package sshauth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func TestDefaultAlgorithms(t *testing.T) {
	t.Parallel()
	a, err := Algorithms{}.Resolved()
	require.NoError(t, err)
	for _, list := range [][]string{a.Ciphers, a.MACs, a.KeyExchanges, a.HostKeys, a.PublicKeys} {
		require.NotEmpty(t, list)
		for _, name := range list {
			require.NotContains(t, name, "sha1")
			require.NotContains(t, name, "cbc")
			require.NotContains(t, name, "ssh-dss")
			require.False(t, strings.HasPrefix(name, "ssh-rsa"), name)
		}
	}
	require.Contains(t, a.PublicKeys, "rsa-sha2-512-cert-v01@openssh.com")
	require.Contains(t, a.PublicKeys, ssh.CertAlgoSKED25519v01)
	require.ElementsMatch(t, ssh.SupportedAlgorithms().HostKeys, a.HostKeys)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	defaults, others := []string{"aes128-ctr", "aes256-ctr", "chacha20"}, []string{"aes128-cbc", "3des-cbc"}
	for list, want := range map[string]string{
		"chacha20":              "chacha20",
		"3des-cbc,chacha20":     "3des-cbc,chacha20",
		"chacha20,chacha20":     "chacha20",
		"aes128-*":              "aes128-ctr,aes128-cbc",
		"aes???-ctr":            "aes128-ctr,aes256-ctr",
		"*":                     "aes128-ctr,aes256-ctr,chacha20,aes128-cbc,3des-cbc",
		"+3des-cbc":             "aes128-ctr,aes256-ctr,chacha20,3des-cbc",
		"+aes128-ctr":           "aes128-ctr,aes256-ctr,chacha20",
		"+*-cbc":                "aes128-ctr,aes256-ctr,chacha20,aes128-cbc,3des-cbc",
		"-aes256-ctr,chacha20":  "aes128-ctr",
		"-aes*":                 "chacha20",
		"-3des-cbc,none*":       "aes128-ctr,aes256-ctr,chacha20",
		"^chacha20,3des-cbc":    "chacha20,3des-cbc,aes128-ctr,aes256-ctr",
		"aes256-cbc,chacha20":   "chacha20",
		"+umac-64@openssh.com":  "aes128-ctr,aes256-ctr,chacha20",
		"-*":                    `no algorithm is left of "-*"`,
		"aes256-cbc":            `no algorithm is left of "aes256-cbc"`,
		"none*":                 `no algorithm is left of "none*"`,
		"chacha20,bad":          `unknown algorithm "bad"`,
		"+bad":                  `unknown algorithm "bad"`,
		"-bad":                  `unknown algorithm "bad"`,
		"chacha20,+aes128-ctr":  `unknown algorithm "+aes128-ctr"`,
		"chacha20, aes128-ctr":  `unknown algorithm " aes128-ctr"`,
		"[ac]*,CHACHA20":        `unknown algorithm "CHACHA20"`,
		"":                      `unknown algorithm ""`,
		"+":                     `unknown algorithm ""`,
		`aes128\-ctr,aes128-[c`: `unknown algorithm "aes128\\-ctr"`,
	} {
		got, err := resolve(strings.Split(list, ","), defaults, others)
		if !strings.Contains(want, "algorithm ") {
			require.NoError(t, err, list)
			require.Equal(t, want, strings.Join(got, ","), list)
			continue
		}
		require.ErrorContains(t, err, want, list)
		require.ErrorIs(t, err, fs.ErrInvalid, list)
	}
	got, err := resolve(nil, defaults, others)
	require.NoError(t, err)
	require.Equal(t, defaults, got)
}

// A key signs by the algorithms that are allowed, wherever it is from.
func TestRestrict(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	keyring := agent.NewKeyring()
	for _, key := range []any{rsaKey, edKey} {
		require.NoError(t, keyring.Add(agent.AddedKey{PrivateKey: key}))
	}
	keys, err := keyring.Signers()
	require.NoError(t, err)
	for _, key := range []any{rsaKey, edKey} {
		signer, err := ssh.NewSignerFromKey(key)
		require.NoError(t, err)
		certificate := &ssh.Certificate{
			Key: signer.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"me"}, ValidBefore: ssh.CertTimeInfinity,
		}
		require.NoError(t, certificate.SignCert(rand.Reader, signer))
		certified, err := ssh.NewCertSigner(certificate, signer)
		require.NoError(t, err)
		keys = append(keys, signer, certified)
	}

	for list, want := range map[string][]string{ // kinds of the keys that are left, and what RSA keys sign by
		"":                                 {"ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", "ssh-rsa 256 512", "ssh-rsa-cert-v01@openssh.com 256 512"},
		"+ssh-rsa":                         {"ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", "ssh-rsa 256 512 ssh-rsa", "ssh-rsa-cert-v01@openssh.com 256 512"},
		"ssh-rsa-cert-v01@openssh.com":     {"ssh-rsa-cert-v01@openssh.com ssh-rsa"},
		"rsa-sha2-256":                     {"ssh-rsa 256"},
		"-*ed25519,rsa-sha2-512":           {"ssh-ed25519-cert-v01@openssh.com", "ssh-rsa 256", "ssh-rsa-cert-v01@openssh.com 256 512"},
		"ssh-ed25519-cert-v01@openssh.com": {"ssh-ed25519-cert-v01@openssh.com"},
		"ecdsa-*":                          nil,
	} {
		var a Algorithms
		if list != "" {
			a.PublicKeys = strings.Split(list, ",")
		}
		a, err = a.Resolved()
		require.NoError(t, err)
		var got []string
		for _, key := range restrict(keys, a.PublicKeys) {
			kind := key.PublicKey().Type()
			if strings.HasPrefix(kind, "ssh-rsa") {
				for _, algorithm := range key.(ssh.MultiAlgorithmSigner).Algorithms() {
					kind += " " + strings.TrimPrefix(algorithm, "rsa-sha2-")
				}
			}
			got = append(got, kind)
		}
		slices.Sort(got)
		require.Equal(t, want, slices.Compact(got), list)
	}
}
