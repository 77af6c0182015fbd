package sshauth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const host = "host.example:22"

var remote = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22}

// edSigner returns an ed25519 key, the same one for the same seed.
func edSigner(t testing.TB, seed byte) ssh.Signer {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	require.NoError(t, err)
	return signer
}

func edKey(t testing.TB, seed byte) ssh.PublicKey { return edSigner(t, seed).PublicKey() }

func ecKey(t testing.TB) ssh.PublicKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return signer.PublicKey()
}

func text(key ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) }

func hostsFile(t testing.TB, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	return file
}

func read(t testing.TB, file string) *KnownHosts {
	t.Helper()
	known, err := ReadKnownHosts([]string{file}, true)
	require.NoError(t, err)
	return known
}

// A key is accepted that is known for the host. Any other is refused, with what is known; that of a new host may be added.
func TestCheck(t *testing.T) {
	t.Parallel()
	ours, other := edKey(t, 1), edKey(t, 2)
	for name, c := range map[string]struct {
		lines []string
		says  string // "": accepted
		isNew bool
	}{
		"known":                  {[]string{"host.example " + text(ours)}, "", false},
		"known beside others":    {[]string{"host.example " + text(other), "garbage", "host.example " + text(ours)}, "", false},
		"known by a pattern":     {[]string{"*.example " + text(ours)}, "", false},
		"known by its hash":      {[]string{knownhosts.HashHostname("host.example") + " " + text(ours)}, "", false},
		"unknown":                {[]string{"another.example " + text(ours)}, "the host is unknown, no entry", true},
		"known at another port":  {[]string{"[host.example]:2222 " + text(ours)}, "the host is unknown", true},
		"nothing":                {nil, "the host is unknown", true},
		"changed":                {[]string{"host.example " + text(other)}, "changed, or someone else answers; expected ssh-ed25519 SHA256:", false},
		"changed, two are known": {[]string{"host.example " + text(other), "host.example " + text(edKey(t, 3))}, " or ssh-ed25519 ", false},
		"revoked":                {[]string{"host.example " + text(ours), "@revoked * " + text(ours)}, "the key is revoked in ", false},
		"an authority alone":     {[]string{"@cert-authority * " + text(other)}, "the host is unknown", true},
		"another algorithm":      {[]string{"host.example " + text(ecKey(t)), "host.example " + text(ours)}, "", false},
	} {
		file := hostsFile(t, append(c.lines, "")...)
		err := read(t, file).Check(host, remote, ours)
		added, addErr := read(t, file).CheckOrAdd(t.Context(), false, host, remote, ours)
		switch {
		case c.says == "":
			require.NoError(t, err, name)
			require.NoError(t, addErr, name)
			require.Empty(t, added, name)
		case c.isNew:
			require.ErrorIs(t, err, errUnknownHost, name)
			require.ErrorContains(t, err, c.says, name)
			require.NoError(t, addErr, name)
			require.Equal(t, file, added, name)
			require.NoError(t, read(t, file).Check(host, remote, ours), name)
		default:
			require.ErrorContains(t, err, c.says, name)
			require.NotErrorIs(t, err, errUnknownHost, name)
			require.Equal(t, err.Error(), addErr.Error(), name)
			require.Empty(t, added, name)
		}
	}
}

// A line for any port is one for the port that is asked for, as in OpenSSH.
func TestAnyPort(t *testing.T) {
	t.Parallel()
	ours, other := edKey(t, 1), edKey(t, 2)
	const addr = "host.example:2222"
	for line, accepts := range map[string]bool{
		"[host.example]:*":                       true,
		"[HOST.*]:2*":                            true,
		"[host.example]:222?":                    true,
		"[host.example]:3*":                      false,
		"[another.example]:*":                    false,
		"[host.example]:*,![host.example]:2222":  false,
		"![host.example]:2222,[host.example]:*":  false,
		`[host\.example]:*`:                      false,
		"[host.example]:2222,[host.example]:999": true,
	} {
		known := read(t, hostsFile(t, line+" "+text(ours), ""))
		if accepts {
			require.NoError(t, known.Check(addr, remote, ours), line)
			require.ErrorContains(t, known.Check(addr, remote, other), "changed", line)
		} else {
			require.ErrorIs(t, known.Check(addr, remote, ours), errUnknownHost, line)
		}
	}
}

// A server is asked for a key of a kind that is known.
func TestAlgorithmsOfKnownHosts(t *testing.T) {
	t.Parallel()
	a, err := Algorithms{}.Resolved()
	require.NoError(t, err)
	allowed := a.HostKeys
	const ed = ssh.KeyAlgoED25519
	for name, c := range map[string]struct {
		line    string
		addsNew bool
		want    []string
	}{
		"known":                       {"host.example " + text(edKey(t, 1)), false, []string{ed}},
		"known, for any port":         {"[host.example]:* " + text(edKey(t, 1)), true, nil}, // of port 22 it is not
		"unknown, to be refused":      {"another.example " + text(edKey(t, 1)), false, allowed},
		"an authority":                {"@cert-authority * " + text(edKey(t, 1)), false, []string{ssh.CertAlgoED25519v01}},
		"known, new ones are added":   {"host.example " + text(edKey(t, 1)), true, []string{ed}},
		"unknown, new ones are added": {"another.example " + text(edKey(t, 1)), true, nil},
	} {
		got, err := read(t, hostsFile(t, c.line, "")).Algorithms(host, allowed, c.addsNew)
		require.NoError(t, err, name)
		if c.want != nil {
			require.Equal(t, c.want, got, name)
			continue
		}
		for _, algorithm := range allowed { // every one by which a new host can show a key
			require.Equal(t, !strings.Contains(algorithm, "-cert-"), slices.Contains(got, algorithm), "%s: %s", name, algorithm)
		}
	}
	any22, err := read(t, hostsFile(t, "[host.example]:* "+text(edKey(t, 1)), "")).Algorithms("host.example:2222", allowed, false)
	require.NoError(t, err)
	require.Equal(t, []string{ed}, any22)

	file := hostsFile(t, "host.example "+text(edKey(t, 1)), "")
	_, err = read(t, file).Algorithms(host, []string{ssh.KeyAlgoRSASHA256}, false)
	require.EqualError(t, err, "Algorithms.HostKeys, rsa-sha2-256, has none for the known keys, ssh-ed25519 in "+file)
	known := read(t, file)
	require.EqualError(t, known.NoCommonAlgorithm(host, []string{ed}),
		"the server has ssh-ed25519, of which Algorithms.HostKeys has none for a known key")
	require.EqualError(t, known.NoCommonAlgorithm(host, []string{"rsa-sha2-512"}),
		"the host key has changed: the server has rsa-sha2-512, known are ssh-ed25519 in "+file)
}

// An RSA key signs in three ways, in lines for any port as in others.
func TestAlgorithmsOfAnRSAKey(t *testing.T) {
	t.Parallel()
	rsaKeys, _ := userKeys(t)
	got, err := read(t, hostsFile(t, "[host.example]:* "+text(rsaKeys.PublicKey()), "")).Algorithms("host.example:2222",
		[]string{ssh.KeyAlgoED25519, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512}, false)
	require.NoError(t, err)
	require.Equal(t, []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512}, got)
}

// Not every file needs to be there. These set environment variables, and so do not run in parallel.
func TestWhichFilesAreRead(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	ours := edKey(t, 1)
	missing, there := filepath.Join(t.TempDir(), "missing"), hostsFile(t, "host.example "+text(ours), "")
	_, err := ReadKnownHosts([]string{there, missing}, true)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = ReadKnownHosts([]string{missing, there}, false)
	require.ErrorIs(t, err, fs.ErrNotExist)
	known, err := ReadKnownHosts([]string{missing, there}, true)
	require.NoError(t, err)
	require.NoError(t, known.Check(host, remote, ours))

	file := filepath.Join(home, ".ssh", "known_hosts")
	known, err = ReadKnownHosts(nil, false)
	require.NoError(t, err, "the user has none yet")
	require.ErrorContains(t, known.Check(host, remote, ours), "no entry for it in "+file)
	added, err := known.CheckOrAdd(t.Context(), true, host, remote, ours)
	require.NoError(t, err)
	require.Equal(t, file, added)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(content), "|1|"), "%s", content)
	known, err = ReadKnownHosts(nil, false)
	require.NoError(t, err)
	require.NoError(t, known.Check(host, remote, ours))

	_, err = ReadKnownHosts([]string{hostsFile(t, "host ssh-ed25519 !!!", "")}, false)
	require.ErrorContains(t, err, "known hosts: ")
	for _, name := range []string{"HOME", "USERPROFILE", "home"} {
		t.Setenv(name, "")
	}
	_, err = ReadKnownHosts(nil, false)
	require.ErrorContains(t, err, "no home directory")
}

// Of several that answer for a host at the same time one is believed, the same by all.
func TestNewHostIsAddedOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ssh", "known_hosts")
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted := make(map[byte]int)
	for seed := range byte(6) {
		for range 2 {
			wg.Go(func() {
				known, err := ReadKnownHosts([]string{file}, true)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := known.CheckOrAdd(context.Background(), false, host, remote, edKey(t, seed)); err == nil {
					mu.Lock()
					defer mu.Unlock()
					accepted[seed]++
				}
			})
		}
	}
	wg.Wait()
	require.Len(t, accepted, 1)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(content), "\n"))
}

// A key that cannot be kept is not accepted.
func TestNewHostNeedsAFile(t *testing.T) {
	t.Parallel()
	ours := edKey(t, 1)
	none, err := ReadKnownHosts([]string{}, true)
	require.NoError(t, err)
	_, err = none.CheckOrAdd(t.Context(), false, host, remote, ours)
	require.ErrorIs(t, err, errUnknownHost)
	require.ErrorContains(t, err, "no file to add it to")

	dir := t.TempDir()
	known := read(t, filepath.Join(dir, "file", "known_hosts"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	_, err = known.CheckOrAdd(t.Context(), false, host, remote, ours)
	require.ErrorContains(t, err, "adding the key to ")

	file := filepath.Join(dir, "known_hosts")
	known = read(t, file)
	require.NoError(t, os.Mkdir(file, 0o700))
	_, err = known.CheckOrAdd(t.Context(), false, host, remote, ours)
	require.ErrorContains(t, err, "adding the key to ")
	require.NoError(t, os.Remove(file))

	lock := flock.New(file + ".lock")
	require.NoError(t, lock.Lock())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = known.CheckOrAdd(ctx, false, host, remote, ours)
	require.ErrorIs(t, err, context.DeadlineExceeded, "another program is at it")
	require.NoFileExists(t, file)
	require.NoError(t, lock.Unlock())

	require.NoError(t, os.WriteFile(file, []byte("host.example "+text(edKey(t, 2))+"\n"), 0o600))
	_, err = known.CheckOrAdd(t.Context(), false, host, remote, ours)
	require.ErrorContains(t, err, "changed", "another program has added another key")
}
