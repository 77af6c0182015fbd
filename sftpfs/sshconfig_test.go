package sftpfs

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func sshConfigFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

const manyHosts = `
ServerAliveCountMax 4
Host short
  HostName %h.example.com
  Port 1222
  User remote # who else
  IdentityFile ~/.ssh/first
  IdentityFile=%d/keys/%r-%n-%p
  identitiesonly YES
  StrictHostKeyChecking accept-new
Host *.example.com !no.example.com
  User wild
  UserKnownHostsFile KNOWN KNOWN.missing
Host no.example.com
  Port 7
Match host jumped
  ProxyJump me@one:2201,short
  HostName "10.0.0.9"
Match all
  ConnectTimeout 90
  ServerAliveInterval 5
  IdentityFile ~/.ssh/last
  HashKnownHosts yes
  Compression yes
Host *
  User everybody
  ConnectTimeout 7
`

// What ssh itself makes of the same file is the measure.
func TestSSHConfigAsSSHReadsIt(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip(err)
	}
	file := sshConfigFile(t, strings.ReplaceAll(manyHosts, "KNOWN", sshConfigFile(t, ""))+"Include "+sshConfigFile(t, "Host included\n  Port 99\n")+"\n")
	for _, alias := range []string{
		"short", "yes.example.com", "no.example.com", "jumped", "other", "included", "::1",
	} {
		out, err := exec.Command(program, "-F", file, "-G", alias).Output()
		require.NoError(t, err)
		want := make(map[string][]string)
		for line := range strings.Lines(string(out)) {
			keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			want[keyword] = append(want[keyword], value)
		}
		one := func(keyword string) string { return strings.Join(want[keyword], "\n") }

		d, err := newDialer(Config{Addr: alias, SSHConfig: []string{file}}, 0)
		require.NoError(t, err, alias)
		if strings.Contains(alias, ":") {
			require.Equal(t, "["+one("hostname")+"]:"+one("port"), d.cfg.Addr)
		} else {
			require.Equal(t, one("hostname")+":"+one("port"), d.cfg.Addr)
		}
		require.Equal(t, one("user"), d.cfg.User)
		require.Equal(t, one("connecttimeout"), fmt.Sprint(d.cfg.DialTimeout.Seconds()))
		require.Equal(t, 20*time.Second, d.cfg.IdleTimeout)
		require.Equal(t, one("identitiesonly") == "yes", d.auth.IdentitiesOnly)
		require.Equal(t, one("hashknownhosts") == "yes", d.hashNew)
		require.Equal(t, one("stricthostkeychecking") == "accept-new", d.cfg.AcceptNewHost)
		require.Len(t, d.auth.IdentityFiles, len(want["identityfile"]))
		require.Equal(t, one("proxyjump") != "", d.through != nil)
	}
}

func TestSSHConfig(t *testing.T) {
	t.Parallel()
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	known := sshConfigFile(t, "")
	file := sshConfigFile(t, strings.ReplaceAll(manyHosts, "KNOWN", known))

	d, err := newDialer(Config{Addr: "short", SSHConfig: []string{file}}, 0)
	require.NoError(t, err)
	require.Equal(t, "short.example.com:1222", d.cfg.Addr)
	require.Equal(t, "remote", d.cfg.User)
	require.Equal(t, []string{
		filepath.Join(home, ".ssh/first"), filepath.Join(home, "keys/remote-short-1222"), filepath.Join(home, ".ssh/last"),
	}, d.auth.IdentityFiles)
	require.Nil(t, d.cfg.KnownHosts)

	d, err = newDialer(Config{Addr: "yes.example.com", SSHConfig: []string{file}}, 0)
	require.NoError(t, err)
	require.Equal(t, []string{known}, d.cfg.KnownHosts, "what is not there is passed over")

	// What the program says counts more.
	hosts := sshConfigFile(t, "")
	d, err = newDialer(Config{
		Addr: "short:5", User: "me", DialTimeout: time.Second, IdleTimeout: time.Hour, KnownHosts: []string{hosts},
		ProxyJump: []Config{}, SSHConfig: []string{file},
	}, 0)
	require.NoError(t, err)
	require.Equal(t, "short.example.com:5", d.cfg.Addr)
	require.Equal(t, "me", d.cfg.User)
	require.Equal(t, time.Second, d.cfg.DialTimeout)
	require.Equal(t, time.Hour, d.cfg.IdleTimeout)
	require.Equal(t, []string{hosts}, d.cfg.KnownHosts)

	// The hosts on the way stand in the files, too.
	d, err = newDialer(Config{Addr: "jumped", SSHConfig: []string{file}}, 0)
	require.NoError(t, err)
	require.Equal(t, "10.0.0.9:22", d.cfg.Addr)
	require.Equal(t, "short.example.com:1222", d.through.cfg.Addr)
	require.Equal(t, "remote", d.through.cfg.User)
	require.True(t, d.through.cfg.AcceptNewHost)
	require.Equal(t, "one:2201", d.through.through.cfg.Addr)
	require.Equal(t, "me", d.through.through.cfg.User)
	require.Nil(t, d.through.through.through)

	// The first file counts more.
	d, err = newDialer(Config{Addr: "short", SSHConfig: []string{sshConfigFile(t, "Port 3\n"), file}}, 0)
	require.NoError(t, err)
	require.Equal(t, "short.example.com:3", d.cfg.Addr)
}

func TestSSHConfigRefuses(t *testing.T) {
	t.Parallel()
	circle := filepath.Join(t.TempDir(), "circle")
	require.NoError(t, os.WriteFile(circle, []byte("Include "+circle+"\n"), 0o600))
	for text, names := range map[string]string{
		"StrictHostKeyChecking no":             "StrictHostKeyChecking",
		"StrictHostKeyChecking off":            "StrictHostKeyChecking",
		"StrictHostKeyChecking maybe":          "StrictHostKeyChecking",
		"Host *\n  stricthostkeychecking=no":   "StrictHostKeyChecking",
		"NoHostAuthenticationForLocalhost yes": "NoHostAuthenticationForLocalhost",
		"ProxyCommand nc %h %p":                "ProxyCommand",
		"RevokedHostKeys /etc/ssh/revoked":     "RevokedHostKeys",
		"Match exec \"touch /tmp/x\"":          "Match",
		"Match user me":                        "Match",
		"Match originalhost h":                 "Match",
		"Port none":                            "port",
		"Port 0":                               "port",
		"HostName a/b":                         "host",
		"HostName a,b":                         "','",
		"HostName *":                           "'*'",
		"Host h\n  HostName |1|%h":             "'|'",
		"ProxyJump a!b":                        "'!'",
		"HostName %z":                          "%z",
		"HostName x%":                          "%",
		"IdentityFile ~/%C":                    "%C",
		"IdentityFile ${NO_SUCH_VARIABLE}/x":   "NO_SUCH_VARIABLE",
		"UserKnownHostsFile \"/a b\" \"/c\"":   "quotes",
		"ConnectTimeout soon":                  "ConnectTimeout",
		"ServerAliveInterval -5":               "ServerAliveInterval",
		"ServerAliveCountMax x":                "parsing",
		"ProxyJump h":                          "more than",
		"ProxyJump a,b,c,d,e,f,g,i,j":          "more than",
		"ProxyJump a b":                        "a b",
		"Host h\n  ProxyJump other\nHost other\n  ProxyJump h":  "more than",
		"Host h\n  ProxyJump other\nHost o*\n  ProxyCommand nc": "ProxyCommand",
		"Include " + circle: "depth",
	} {
		_, err := New(Config{Addr: "h", SSHConfig: []string{sshConfigFile(t, text)}})
		require.ErrorContains(t, err, names, text)
	}
	for _, text := range []string{
		"StrictHostKeyChecking yes", "StrictHostKeyChecking ask", "ProxyCommand none", "ProxyJump none",
		"NoHostAuthenticationForLocalhost no", "RevokedHostKeys none", "Host other\n  ProxyCommand nc",
		"ConnectTimeout none", "Host g\n  StrictHostKeyChecking no", "IdentityFile none",
	} {
		_, err := New(Config{Addr: "h", SSHConfig: []string{sshConfigFile(t, text)}})
		require.NoError(t, err, text)
	}
	_, err := New(Config{Addr: "h", SSHConfig: []string{filepath.Join(t.TempDir(), "missing")}})
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = New(Config{Addr: ":1", SSHConfig: []string{sshConfigFile(t, "")}})
	require.ErrorContains(t, err, ":1")
}

// What has no effect is told, for the host alone.
func TestSSHConfigIgnored(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	file := sshConfigFile(t, "Include "+sshConfigFile(t, "LogLevel DEBUG\n")+`
Host h
  Compression yes
  SendEnv A
  SendEnv B
  Port 2
Host g
  ForwardAgent yes
`)
	_, err := New(Config{Addr: "h", SSHConfig: []string{file}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	var told []string
	for line := range strings.Lines(log.String()) {
		_, said, _ := strings.Cut(strings.TrimSpace(line), "ignored\" ")
		told = append(told, said)
	}
	require.Equal(t, []string{
		"host=h keyword=Compression value=yes", "host=h keyword=LogLevel value=DEBUG",
		"host=h keyword=SendEnv value=A", "host=h keyword=SendEnv value=B",
	}, told)
}
