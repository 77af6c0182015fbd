package sshconfig

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// configFile writes a file for ssh.
func configFile(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestRead(t *testing.T) {
	t.Parallel()
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	file := configFile(t, `
ServerAliveCountMax 4
Host short
  HostName %h.example.com
  Port 1222
  User remote # who else
  IdentityFile ~/.ssh/first
  IdentityFile=%d/keys/%r-%n-%p-%u-%%
  identitiesonly YES
  StrictHostKeyChecking accept-new
  UserKnownHostsFile ~/known none /etc/%h
  Ciphers aes128-cbc,+x
  MACs m
  KexAlgorithms k
  HostKeyAlgorithms h
  PubkeyAcceptedKeyTypes old
  ProxyJump ssh://me@one:2201, two
  SendEnv A
  SendEnv B
Host bare
  IdentityFile none
  UserKnownHostsFile none
  ProxyJump none
  ConnectTimeout none
Match host short
  PubkeyAcceptedAlgorithms new,newer
Match all
  ConnectTimeout 90
  ServerAliveInterval 1m
  HashKnownHosts yes
  User everybody
`)
	q := Query{Alias: "short", LocalUser: "local"}
	got, err := Read([]string{file}, q)
	require.NoError(t, err)
	require.Equal(t, Host{
		HostName: "short.example.com", Port: "1222", User: "remote",
		IdentityFiles:  []string{filepath.Join(home, ".ssh/first"), filepath.Join(home, "keys/remote-short-1222-local-%")},
		IdentitiesOnly: true,
		KnownHosts:     []string{filepath.Join(home, "known"), filepath.Clean("/etc/short.example.com")},
		AcceptNewHost:  true, HashKnownHosts: true,
		ConnectTimeout: 90 * time.Second, AliveTimeout: 4 * time.Minute,
		ProxyJump: []Jump{{"me", "one:2201"}, {"", "two"}},
		Ciphers:   []string{"aes128-cbc", "+x"}, MACs: []string{"m"}, KexAlgorithms: []string{"k"}, HostKeyAlgorithms: []string{"h"},
		PubkeyAcceptedAlgorithms: []string{"new", "newer"},
		Ignored:                  []Setting{{"SendEnv", "A"}, {"SendEnv", "B"}},
	}, got)

	got, err = Read([]string{file}, Query{Alias: "bare", LocalUser: "local"})
	require.NoError(t, err)
	require.Equal(t, Host{
		HostName: "bare", Port: DefaultPort, User: "everybody", IdentityFiles: []string{}, KnownHosts: []string{},
		HashKnownHosts: true, AliveTimeout: 4 * time.Minute,
	}, got)

	// What the query says counts more, and a file that is named before another.
	q.Port, q.User, q.Without = "5", "me", []string{"ProxyJump", "UserKnownHostsFile"}
	got, err = Read([]string{configFile(t, "MACs first\nPubkeyAcceptedKeyTypes older\nUser other\n"), file}, q)
	require.NoError(t, err)
	require.Equal(t, "5", got.Port)
	require.Equal(t, "me", got.User)
	require.Equal(t, filepath.Join(home, "keys/me-short-5-local-%"), got.IdentityFiles[1])
	require.Equal(t, []string{"first"}, got.MACs)
	require.Nil(t, got.ProxyJump)
	require.Nil(t, got.KnownHosts)

	got, err = Read([]string{configFile(t, "")}, Query{Alias: "::1", LocalUser: "local"})
	require.NoError(t, err)
	require.Equal(t, Host{HostName: "::1", Port: DefaultPort, User: "local"}, got)

	got, err = Read([]string{configFile(t, "PubkeyAcceptedKeyTypes old\n")}, Query{Alias: "h", LocalUser: "local"})
	require.NoError(t, err)
	require.Equal(t, []string{"old"}, got.PubkeyAcceptedAlgorithms)
}

// A value that is not looked at does no harm.
func TestWithout(t *testing.T) {
	t.Parallel()
	file := configFile(t, "UserKnownHostsFile %k\nProxyJump %k\n")
	q := Query{Alias: "h", LocalUser: "local"}
	_, err := Read([]string{file}, q)
	require.ErrorContains(t, err, `UserKnownHostsFile: "%k": %k is not supported`)
	require.ErrorContains(t, err, `ProxyJump: "%k": %k is not supported`)
	q.Without = []string{"UserKnownHostsFile", "ProxyJump"}
	_, err = Read([]string{file}, q)
	require.NoError(t, err)
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"StrictHostKeyChecking no":             "ssh_config: host h: StrictHostKeyChecking no: host keys are always checked",
		"StrictHostKeyChecking off":            "StrictHostKeyChecking",
		"NoHostAuthenticationForLocalhost yes": "NoHostAuthenticationForLocalhost is not supported",
		"ProxyCommand nc %h %p":                "ProxyCommand",
		"RevokedHostKeys /etc/ssh/revoked":     "RevokedHostKeys",
		"Match user me":                        "Match",
		"HostName %z":                          "HostName: \"%z\": %z is not supported",
		"HostName x%":                          "ends with %",
		"IdentityFile ~/%C":                    "IdentityFile: ",
		"IdentityFile ${NO_SUCH_VARIABLE}/x":   "${NO_SUCH_VARIABLE} is not set",
		"UserKnownHostsFile \"/a b\" \"/c\"":   "quotes within a value",
		"ConnectTimeout soon":                  "ConnectTimeout: \"soon\" is no time",
		"ServerAliveInterval -5":               "ServerAliveInterval",
		"ServerAliveCountMax x":                "parsing",
		"ServerAliveInterval 9000000000":       "too long",
		"ServerAliveCountMax 65536":            "out of range",
	} {
		_, err := Read([]string{configFile(t, text)}, Query{Alias: "h", LocalUser: "local"})
		require.ErrorContains(t, err, "ssh_config: ", text)
		require.ErrorContains(t, err, says, text)
	}
	for _, text := range []string{
		"StrictHostKeyChecking ask", "StrictHostKeyChecking YES", "ProxyCommand none", "NoHostAuthenticationForLocalhost no",
		"Host other\n  ProxyCommand nc",
	} {
		_, err := Read([]string{configFile(t, text)}, Query{Alias: "h", LocalUser: "local"})
		require.NoError(t, err, text)
	}
	_, err := Read([]string{filepath.Join(t.TempDir(), "missing")}, Query{Alias: "h"})
	require.ErrorIs(t, err, fs.ErrNotExist)
	deep := configFile(t, "")
	require.NoError(t, os.WriteFile(deep, []byte("Include "+deep+"\n"), 0o600))
	_, err = Read([]string{deep}, Query{Alias: "h"})
	require.ErrorContains(t, err, "depth")
}

// Variables of the environment stand in paths alone. This sets one, and so does not run in parallel.
func TestEnvironment(t *testing.T) {
	t.Setenv("SYNCFS_TEST_DIR", filepath.FromSlash("/keys"))
	h, err := Read([]string{configFile(t, "IdentityFile ${SYNCFS_TEST_DIR}/id\nHostName ${SYNCFS_TEST_DIR}\n")},
		Query{Alias: "h", LocalUser: "local"})
	require.NoError(t, err)
	require.Equal(t, []string{filepath.FromSlash("/keys/id")}, h.IdentityFiles)
	require.Equal(t, "${SYNCFS_TEST_DIR}", h.HostName)

	for _, name := range []string{"HOME", "USERPROFILE", "home"} {
		t.Setenv(name, "")
	}
	_, err = Read([]string{configFile(t, "")}, Query{Alias: "h", LocalUser: "local"})
	require.Error(t, err, "there is no home directory")
}

// Whatever is in a file, it is used or refused without a panic, always in the same way, and what is used is complete.
func FuzzSSHConfig(f *testing.F) {
	for _, s := range []string{
		"Host *\n  Port 22\n  User u\n", "HostName %h.example\n", "ProxyJump a,b:22\n", "Match host x\nCiphers +aes128-cbc\n",
		"HostKeyAlgorithms -ssh-*\n", "IdentityFile \"~/id %d\"\n", "ServerAliveInterval 99999999999\nServerAliveCountMax 9999999999\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToLower(text), "include") { // of whatever there is on this machine
			return
		}
		file := configFile(t, text)
		q := Query{Alias: "host", LocalUser: "local"}
		host, err := Read([]string{file}, q)
		again, errAgain := Read([]string{file}, q)
		require.Equal(t, host, again)
		require.Equal(t, err == nil, errAgain == nil)
		if err != nil {
			require.ErrorContains(t, err, "ssh_config: ")
			return
		}
		require.NotEmpty(t, host.HostName)
		require.NotEmpty(t, host.Port)
		require.NotEmpty(t, host.User)
		require.GreaterOrEqual(t, min(host.ConnectTimeout, host.AliveTimeout), time.Duration(0))
		for _, name := range append(host.IdentityFiles, host.KnownHosts...) {
			require.Equal(t, filepath.Clean(name), name)
		}
		for _, jump := range host.ProxyJump {
			require.NotContains(t, jump.Addr, "@")
			require.NotContains(t, jump.Addr, ",")
		}
		host, err = Read([]string{file}, Query{Alias: "host", Port: "1", User: "me", LocalUser: "local"})
		if err == nil {
			require.Equal(t, "1", host.Port)
			require.Equal(t, "me", host.User)
		}
	})
}
