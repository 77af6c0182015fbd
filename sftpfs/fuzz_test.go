package sftpfs

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// canned is a channel on which the server has said all it will say.
type canned struct{ *bytes.Reader }

func (canned) Write(b []byte) (int, error) { return len(b), nil }
func (canned) Close() error                { return nil }

// Whatever a server answers to a few requests of each kind, nothing panics, the wire ends, and it gives pkg/sftp no packet
// that is longer than what came.
func FuzzWire(f *testing.F) {
	const version = "\x00\x00\x00\x05\x02\x00\x00\x00\x03"
	f.Add([]byte(version))
	for _, packet := range [][]byte{
		answer(packetHandle, 1, "h"), namesAnswer(2, "a", ".", "b/c"), answer(packetAttrs, 3, attrs(7, 0o100644, 1)),
		answer(packetHandle, 4, "\x00\x00\x00\x00"), answer(packetData, 5, "content"), namesAnswer(6, "target"),
		answer(packetStatus, 7, uint32(4), "failure", "en"),
	} {
		f.Add(append([]byte(version), packet...))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		w := newWire(canned{bytes.NewReader(said)})
		defer w.Close()
		for id, m := range []message{
			{kind: packetInit}, {kind: packetOpendir, body: body{}.string("d")}, {kind: packetReaddir, body: body{}.string("h")},
			{kind: packetLstat, body: body{}.string("f")}, {kind: packetOpen, body: body{}.string("f").uint32(openRead).uint32(0)},
			{kind: packetRead, body: body{}.string("h").uint64(0).uint32(100)}, {kind: packetReadlink, body: body{}.string("l")},
			{kind: packetClose, body: body{}.string("h")},
		} {
			_, err := w.Write(m.appendTo(nil, uint32(id), ""))
			require.NoError(t, err)
		}
		n, err := io.Copy(io.Discard, w)
		require.Error(t, errors.Join(err, io.EOF))
		require.LessOrEqual(t, n, int64(2*len(said)+len(said)/headerSize*64))
	})
}

// Whatever is in an answer, it is read without a panic, and a name that leads elsewhere is no entry.
func FuzzReply(f *testing.F) {
	f.Add(byte(packetName), namesAnswer(1, "a", "..", "b")[headerSize:])
	f.Add(byte(packetAttrs), attrs(1<<63, 0o40755, 1))
	f.Add(byte(packetStatus), answer(packetStatus, 1, uint32(2), "no such file", "en")[headerSize:])
	f.Add(byte(packetHandle), answer(packetHandle, 1, "h")[headerSize:])
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		r := reply{kind: kind, body: body}
		_, _ = r.status()
		_ = r.done()
		_, _ = r.handle()
		_, _ = r.data()
		if fi, err := r.info("f"); err == nil {
			require.GreaterOrEqual(t, fi.Size(), int64(0))
		}
		entries, err := r.entries()
		for _, fi := range entries {
			require.NoError(t, err)
			require.False(t, badName(fi.Name()), "%q", fi.Name())
		}
		var all tally
		for range 3 {
			if all.add(body, maxListing) != nil {
				break
			}
		}
	})
}

// A URL that can't be used is refused without a panic, and without a word of it in the error: it may hold a password.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{
		"sftp://user:secret@host:22/root", "sftp://[::1]:2222/", "sftp://a,b/", "http://host", "sftp://user:%zz@host", "sftp://h/%2e%2e",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rawURL string) {
		if _, err := ParseURL(rawURL); err != nil {
			if _, rest, ok := strings.Cut(rawURL, "://"); ok && len(rest) > 12 {
				require.NotContains(t, err.Error(), rest)
			}
		}
	})
}

// What ssh_config files say is used or refused without a panic, and leads to no host that could not be named in known_hosts.
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
		file := filepath.Join(t.TempDir(), "config")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		cfg := Config{Addr: "host", SSHConfig: []string{file}, Password: "p", Logger: slog.New(slog.DiscardHandler)}
		cfg, _, err := cfg.withSSHConfig()
		if err != nil {
			return
		}
		if cfg, err = cfg.checked(); err != nil {
			return
		}
		for _, at := range append(slices.Clone(cfg.ProxyJump), cfg) {
			if at, err = at.checked(); err != nil { // hosts on the way are checked when they are used
				continue
			}
			host, _, err := splitAddr(at.Addr)
			require.NoError(t, err)
			require.Negative(t, strings.IndexFunc(host, notInHost), "%q", host)
		}
	})
}

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
		known, err := readKnownHosts([]string{file}, true)
		if err != nil {
			return
		}
		const host, elsewhere = "new.example:22", "another.example:22"
		before := known.check(elsewhere, addr, ours)
		added, err := known.checkOrAdd(context.Background(), false, host, addr, ours)
		after, readErr := os.ReadFile(file)
		require.NoError(t, readErr)
		require.True(t, strings.HasPrefix(string(after), text))
		if known, readErr = readKnownHosts([]string{file}, true); added {
			require.NoError(t, errors.Join(err, readErr))
			require.NoError(t, known.check(host, addr, ours))
			require.Error(t, known.check(host, addr, unknown))
			require.Equal(t, before == nil, known.check(elsewhere, addr, ours) == nil)
		} else {
			require.Equal(t, text, string(after))
		}
	})
}
