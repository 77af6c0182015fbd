package sftpfs_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// accepting returns a Config for server that accepts it if file does not know it.
func accepting(server *sftptest.Server, file string) sftpfs.Config {
	cfg := server.Config()
	cfg.HostKeyCallback, cfg.KnownHosts, cfg.AcceptNewHost = nil, []string{file}, true
	return cfg
}

func TestAcceptNewHost(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	file := filepath.Join(t.TempDir(), "ssh", "known_hosts")
	cfg := accepting(server, file)
	require.NoError(t, connect(t, cfg))
	fi, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), fi.Mode())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), "\n"))

	require.NoError(t, connect(t, cfg))
	cfg.AcceptNewHost = false
	require.NoError(t, connect(t, cfg), "it is known now")
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
}

func TestAcceptNewHostAsOthersKnowIt(t *testing.T) {
	t.Parallel()
	ed, ec := hostKeys(t)
	other, otherEc := hostKeys(t)
	server := newServer(t, &sftptest.Options{HostKeys: []ssh.Signer{ec, ed}})
	name := knownhosts.Normalize(server.Addr())
	for what, c := range map[string]struct {
		known   string
		accepts bool
		adds    bool
	}{
		"others are known":       {knownhosts.Line([]string{"elsewhere"}, other.PublicKey()), true, true},
		"no end of line":         {"# nothing", true, true},
		"known by one key":       {knownhosts.Line([]string{name}, ed.PublicKey()), true, false},
		"changed":                {knownhosts.Line([]string{name}, other.PublicKey()), false, false},
		"of another type":        {"* " + keyText(other.PublicKey()) + "\n" + name + " " + keyText(otherEc.PublicKey()), false, false},
		"changed, hashed":        {knownhosts.Line([]string{knownhosts.HashHostname(name)}, other.PublicKey()), false, false},
		"known, hashed":          {knownhosts.Line([]string{knownhosts.HashHostname(name)}, ed.PublicKey()), true, false},
		"an authority is known":  {"@cert-authority * " + keyText(other.PublicKey()), true, true},
		"one key is revoked":     {"@revoked * " + keyText(ec.PublicKey()) + "\n@revoked * " + keyText(ed.PublicKey()), false, false},
		"changed, for any port":  {"[127.0.0.1]:* " + keyText(other.PublicKey()), false, false},
		"known, for any port":    {"[127.0.0.?]:* " + keyText(ed.PublicKey()), true, false},
		"any port but this one":  {"[127.0.0.1]:*,!" + name + " " + keyText(other.PublicKey()), true, true},
		"any port of another":    {"[127.0.0.1?]:* " + keyText(other.PublicKey()), true, true},
		"garbage stands in file": {name + " ssh-ed25519 !!!", false, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "known_hosts")
			cfg := accepting(server, file)
			fsys := newFs(t, cfg)
			require.NoError(t, os.WriteFile(file, []byte(c.known), 0o600))
			err := fsys.Connect(t.Context())
			if c.accepts {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, sftpfs.ErrHostKey)
			}
			now, err := os.ReadFile(file)
			require.NoError(t, err)
			if !c.adds {
				require.Equal(t, c.known, string(now))
				return
			}
			require.True(t, strings.HasPrefix(string(now), c.known+"\n"))
			cfg.AcceptNewHost = false
			require.NoError(t, connect(t, cfg), string(now))
		})
	}
}

func keyText(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// Of several that answer for a host at the same time one is believed, the same by all.
func TestAcceptNewHostOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "known_hosts")
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for range 8 {
		server := newServer(t, nil)
		cfg := accepting(server, file)
		cfg.Addr = "host.invalid"
		cfg.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Addr())
		}
		for range 2 {
			fsys := newFs(t, cfg)
			wg.Go(func() {
				err := fsys.Connect(t.Context())
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					accepted++
				} else if !errors.Is(err, sftpfs.ErrHostKey) {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	require.Equal(t, 2, accepted)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), "\n"))
}

// What another program adds meanwhile counts, and it is waited for.
func TestAcceptNewHostBesideOthers(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	other, _ := hostKeys(t)
	file := filepath.Join(t.TempDir(), "known_hosts")
	line := knownhosts.Line([]string{server.Addr()}, other.PublicKey()) + "\n"
	cfg := accepting(server, file)
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &before{Conn: c, do: func() { assert.NoError(t, os.WriteFile(file, []byte(line), 0o600)) }}, err
	}
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrHostKey)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, line, string(text))

	require.NoError(t, os.Remove(file))
	lock := flock.New(file + ".lock")
	require.NoError(t, lock.Lock())
	cfg = accepting(server, file)
	cfg.DialTimeout = 200 * time.Millisecond
	require.Error(t, connect(t, cfg))
	require.NoFileExists(t, file)
	require.NoError(t, lock.Unlock())
	cfg.DialTimeout = 0
	require.NoError(t, connect(t, cfg))
}

// before does something before the first byte is sent.
type before struct {
	net.Conn
	once sync.Once
	do   func()
}

func (c *before) Write(b []byte) (int, error) {
	c.once.Do(c.do)
	return c.Conn.Write(b)
}

func TestAcceptNewHostOpenSSH(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	cfg := openSSHConfig(server)
	cfg.KnownHosts, cfg.AcceptNewHost = []string{filepath.Join(t.TempDir(), "known_hosts")}, true
	require.NoError(t, connect(t, cfg))
	cfg.AcceptNewHost = false
	require.NoError(t, connect(t, cfg))
}

// A key that can't be written down is not accepted.
func TestAcceptNewHostNeedsAFile(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	cfg := accepting(server, filepath.Join(t.TempDir(), "known_hosts"))
	fsys := newFs(t, cfg)
	require.NoError(t, os.Mkdir(cfg.KnownHosts[0], 0o700))
	require.ErrorIs(t, fsys.Connect(t.Context()), sftpfs.ErrHostKey)
	cfg.KnownHosts = []string{}
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrHostKey)
}
