package sftpfs

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

func TestHostPort(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"host": "host:22", "host:1222": "host:1222", "10.0.0.1": "10.0.0.1:22", "::1": "[::1]:22", "[::1]": "[::1]:22",
		"[::1]:5": "[::1]:5", "fe80::1%eth0": "", "": "", ":22": "", "host:": "", "host:0": "", "host:65536": "",
		"host:-1": "", "host:ssh": "", "a:b:c": "", "user@host": "", "ho st": "", "host/x": "", "h\x00": "",
	} {
		got, err := hostPort(addr)
		require.Equal(t, want, got, "%q", addr)
		require.Equal(t, want == "", err != nil, "%q: %v", addr, err)
	}
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	cfg, err := Config{Addr: "host"}.checked()
	require.NoError(t, err)
	require.NotEmpty(t, cfg.User)
	require.Equal(t, DefaultDialTimeout, cfg.DialTimeout)
	require.Equal(t, DefaultIdleTimeout, cfg.IdleTimeout)
	require.Equal(t, DefaultRequestTimeout, cfg.RequestTimeout)
}

// keyFile writes a new private key, encrypted if there is a passphrase.
func keyFile(t *testing.T, passphrase string) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	return file
}

func phrase(s string) func(string) ([]byte, error) {
	return func(string) ([]byte, error) { return []byte(s), nil }
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	garbage := filepath.Join(dir, "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte("host ssh-ed25519 !!!\n"), 0o600))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	encrypted := keyFile(t, "right")
	anyKey := ssh.InsecureIgnoreHostKey()
	asked := errors.New("nobody there")

	for name, c := range map[string]struct {
		cfg   Config
		names string // what the error names
		is    error
	}{
		"no address":           {Config{HostKeyCallback: anyKey}, "address", nil},
		"bad port":             {Config{Addr: "host:port", HostKeyCallback: anyKey}, "host:port", nil},
		"pattern":              {Config{Addr: "*", HostKeyCallback: anyKey}, "*", fs.ErrInvalid},
		"two names":            {Config{Addr: "a,b:22", HostKeyCallback: anyKey}, "','", fs.ErrInvalid},
		"not any":              {Config{Addr: "!x,*", HostKeyCallback: anyKey}, "'!'", fs.ErrInvalid},
		"hash":                 {Config{Addr: "|1|x", HostKeyCallback: anyKey}, "'|'", fs.ErrInvalid},
		"one of any":           {Config{Addr: "evil?", HostKeyCallback: anyKey}, "'?'", fs.ErrInvalid},
		"pattern to jump to":   {Config{Addr: "h", ProxyJump: []Config{{Addr: "*", HostKeyCallback: anyKey}}, HostKeyCallback: anyKey}, "*", fs.ErrInvalid},
		"missing key":          {Config{Addr: "h", KeyFiles: []string{missing}, HostKeyCallback: anyKey}, missing, fs.ErrNotExist},
		"directory as key":     {Config{Addr: "h", KeyFiles: []string{dir}, HostKeyCallback: anyKey}, dir, nil},
		"garbage as key":       {Config{Addr: "h", KeyFiles: []string{garbage}, HostKeyCallback: anyKey}, garbage, nil},
		"passphrase missing":   {Config{Addr: "h", KeyFiles: []string{encrypted}, HostKeyCallback: anyKey}, encrypted, nil},
		"passphrase wrong":     {Config{Addr: "h", KeyFiles: []string{encrypted}, Passphrase: phrase("wr0ng"), HostKeyCallback: anyKey}, encrypted, nil},
		"passphrase not given": {Config{Addr: "h", KeyFiles: []string{encrypted}, Passphrase: func(string) ([]byte, error) { return nil, asked }, HostKeyCallback: anyKey}, encrypted, asked},
		"missing known hosts":  {Config{Addr: "h", KeyFiles: []string{}, KnownHosts: []string{missing}}, missing, fs.ErrNotExist},
		"garbage known hosts":  {Config{Addr: "h", KeyFiles: []string{}, KnownHosts: []string{empty, garbage}}, garbage, nil},
		"negative timeout":     {Config{Addr: "h", KeyFiles: []string{}, HostKeyCallback: anyKey, IdleTimeout: -time.Second}, "IdleTimeout", nil},
		"NUL in root":          {Config{Addr: "h", KeyFiles: []string{}, HostKeyCallback: anyKey, Root: "/a\x00b"}, "root", fs.ErrInvalid},
	} {
		_, err := New(c.cfg)
		require.ErrorContains(t, err, c.names, name)
		require.NotContains(t, err.Error(), "wr0ng", name)
		if c.is != nil {
			require.ErrorIs(t, err, c.is, name)
		}
	}
}

// The dial function fails the test: New must not call it.
func TestNewDoesNotDial(t *testing.T) {
	t.Parallel()
	fsys, err := New(Config{
		Addr:            "host.invalid",
		KeyFiles:        []string{keyFile(t, "right")},
		Passphrase:      phrase("right"),
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Dial:            noDial(t),
	})
	require.NoError(t, err)
	require.NoError(t, fsys.Close())
	require.NoError(t, fsys.Close())
	_, err = fsys.Stat("x")
	require.ErrorIs(t, err, fs.ErrClosed)
}

// A file that is longer than any real one is refused, and named.
func TestFilesOfTheUserAreBounded(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Truncate(file, 64<<20+1))
	for what, read := range map[string]func() error{
		"known hosts": func() error { _, err := New(Config{Addr: "host", KnownHosts: []string{file}}); return err },
		"ssh_config":  func() error { _, err := New(Config{Addr: "host", SSHConfig: []string{file}}); return err },
		"key":         func() error { _, err := New(Config{Addr: "host", KeyFiles: []string{file}}); return err },
	} {
		t.Run(what, func(t *testing.T) {
			require.ErrorContains(t, read(), "read "+file+": longer than 64 MiB")
		})
	}
}
