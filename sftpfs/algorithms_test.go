package sftpfs

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// No name that ssh accepts is refused here.
func TestAlgorithmsOfSSH(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip(err)
	}
	for _, keyword := range []string{
		"Ciphers", "MACs", "KexAlgorithms", "HostKeyAlgorithms", "PubkeyAcceptedAlgorithms",
	} {
		names, err := exec.Command(program, "-Q", keyword).Output()
		require.NoError(t, err)
		file := sshConfigFile(t, keyword+" "+strings.Join(strings.Fields(string(names)), ","))
		_, err = newDialer(Config{Addr: "h", SSHConfig: []string{file}}, 0)
		require.NoError(t, err)
	}
}

// Each list has the names of its own kind, in a Config and in ssh_config.
func TestAlgorithmsOfAConfig(t *testing.T) {
	t.Parallel()
	weak := Algorithms{
		Ciphers: []string{"aes128-cbc"}, MACs: []string{"hmac-sha1"}, KeyExchanges: []string{"diffie-hellman-group14-sha1"},
		HostKeys: []string{"ssh-rsa"}, PublicKeys: []string{"ssh-rsa"},
	}
	file := sshConfigFile(t, `Ciphers aes128-cbc
MACs hmac-sha1,umac-64@openssh.com
KexAlgorithms diffie-hellman-group14-sha1,sntrup761x25519-sha512
HostKeyAlgorithms ssh-rsa
PubkeyAcceptedKeyTypes ssh-rsa
`)
	for _, cfg := range []Config{{Addr: "h", Algorithms: weak}, {Addr: "h", SSHConfig: []string{file}}} {
		d, err := newDialer(cfg, 0)
		require.NoError(t, err)
		require.Equal(t, weak, d.cfg.Algorithms)
	}
	d, err := newDialer(Config{Addr: "h", SSHConfig: []string{file}, Algorithms: Algorithms{MACs: []string{"hmac-sha2-512"}}}, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"hmac-sha2-512"}, d.cfg.Algorithms.MACs, "what the program says counts more")
	require.Equal(t, weak.Ciphers, d.cfg.Algorithms.Ciphers)

	for text, says := range map[string]string{
		"MACs hmac-sha0":                                       `MACs: invalid argument: unknown algorithm "hmac-sha0"`,
		"Ciphers hmac-sha1":                                    `Ciphers: invalid argument: unknown algorithm "hmac-sha1"`,
		"HostKeyAlgorithms +x":                                 `HostKeys: invalid argument: unknown algorithm "x"`,
		"KexAlgorithms sntrup761x25519-sha512":                 "KeyExchanges: invalid argument: no algorithm is left",
		"PubkeyAcceptedAlgorithms -x":                          `PublicKeys: invalid argument: unknown algorithm "x"`,
		"Host h\n ProxyJump j\nHost j\n MACs umac\nHost g\n x": `jump host j: MACs: invalid argument: unknown algorithm "umac"`,
	} {
		_, err := New(Config{Addr: "h", SSHConfig: []string{sshConfigFile(t, text)}})
		require.ErrorContains(t, err, says)
	}
}
