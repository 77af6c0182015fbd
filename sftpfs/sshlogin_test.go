package sftpfs_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A file for ssh is all that is needed, here to reach a server that is known by an alias, by way of two others.
func TestSSHConfigLogsIn(t *testing.T) {
	t.Parallel()
	key := newUserKey(t, filepath.Join(t.TempDir(), "id"), "")
	server := newServer(t, &sftptest.Options{User: "me", AuthorizedKeys: []ssh.PublicKey{key.public}})
	_, hosts := behind(t, sftpfs.Config{})
	dir := t.TempDir()
	var text strings.Builder
	block := func(alias, addr, user, keyFile, more string) {
		host, port, err := net.SplitHostPort(addr)
		require.NoError(t, err)
		fmt.Fprintf(&text, "Host %s\n\tHostName %s\n\tPort %s\n\tUser %s\n\tIdentityFile %s\n\t%s\n",
			alias, host, port, user, keyFile, more)
	}
	block("target", server.Addr(), "me", key.file, "ProxyJump one,two\n\tStrictHostKeyChecking accept-new\n"+
		"\tHashKnownHosts yes\n\tUserKnownHostsFile "+filepath.Join(dir, "new"))
	block("one", hosts[0].Addr, hosts[0].User, hosts[0].KeyFile, "UserKnownHostsFile "+hosts[0].KnownHosts)
	block("two", hosts[1].Addr, hosts[1].User, hosts[1].KeyFile, "UserKnownHostsFile "+hosts[1].KnownHosts)
	text.WriteString("Host *\n\tIdentitiesOnly yes\n")
	file := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o600))

	fsys := newFs(t, sftpfs.Config{Addr: "target", SSHConfig: []string{file}})
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o600))
	known, err := os.ReadFile(filepath.Join(dir, "new"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(known), "|1|"), "hashed: %s", known)
	require.NoError(t, connect(t, sftpfs.Config{Addr: "target", SSHConfig: []string{file}}), "known by its hash")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "new"), nil, 0o600))
	strict := strings.ReplaceAll(text.String(), "accept-new", "yes")
	require.NoError(t, os.WriteFile(file, []byte(strict), 0o600))
	require.ErrorIs(t, connect(t, sftpfs.Config{Addr: "target", SSHConfig: []string{file}}), sftpfs.ErrHostKey)
}

// An agent that holds many keys offers the one that is meant, alone if that is said.
func TestIdentitiesOnly(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	others := []userKey{}
	for i := range 16 { // a server of x/crypto takes twelve
		others = append(others, newUserKey(t, filepath.Join(dir, fmt.Sprint("other", i)), ""))
	}
	right := newUserKey(t, filepath.Join(dir, "right"), "s3cret")
	server := newServer(t, &sftptest.Options{AuthorizedKeys: []ssh.PublicKey{right.public}})
	t.Setenv("SSH_AUTH_SOCK", startAgent(t, append(others, right)...))
	file := filepath.Join(dir, "config")
	login := func(text string) error {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		cfg := bare(server.Config())
		cfg.KeyFiles, cfg.SSHConfig = nil, []string{file}
		return connect(t, cfg)
	}
	require.ErrorIs(t, login(""), sftpfs.ErrAuth, "the server counts how many are offered")
	require.NoError(t, login("IdentityFile "+right.file), "it comes first")
	require.NoError(t, login("IdentitiesOnly yes\nIdentityFile "+right.file))
	require.ErrorIs(t, login("IdentitiesOnly yes\nIdentityFile "+others[0].file), sftpfs.ErrAuth)

	public := filepath.Join(dir, "public.pub")
	require.NoError(t, os.WriteFile(public, ssh.MarshalAuthorizedKey(right.public), 0o600))
	require.NoError(t, login("IdentitiesOnly yes\nIdentityFile "+public))
	require.NoError(t, login("IdentitiesOnly yes\nIdentityFile "+strings.TrimSuffix(public, ".pub")))
	require.ErrorIs(t, login("IdentitiesOnly yes\nIdentityFile none"), sftpfs.ErrAuth)
}
