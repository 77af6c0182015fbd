package sftpservers

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

// gesftpserver is the Green End SFTP Server, as the subsystem of OpenSSH's sshd.
func gesftpserver(t testing.TB) Server {
	return subsystem(t, opensshtest.Options{Subsystem: find(t, "/usr/libexec/gesftpserver")})
}

// mySecureShellConfig is Debian's without its limits of speed and connections.
const mySecureShellConfig = `<Default>
	LogFile %s
	StayAtHome false
	VirtualChroot false
	LimitConnection 0
	LimitConnectionByUser 0
	LimitConnectionByIP 0
	HideNoAccess true
	DefaultRights 0640 0750
	ShowLinksAsLinks false
</Default>
`

// mySecureShell reads its configuration from one place alone, so it gets another one there, in a mount namespace of its own.
func mySecureShell(t testing.TB) Server {
	program := find(t, "mysecureshell")
	dir := tempDir(t)
	config := write(t, dir, "sftp_config", fmt.Sprintf(mySecureShellConfig, filepath.Join(dir, "log")))
	return subsystem(t, opensshtest.Options{
		Subsystem: program + " -c sftp-server",
		Setup:     "mount --bind " + config + " /etc/ssh/sftp_config",
	})
}

// subsystem is an SFTP server that sshd starts for each session. Of sshd's host keys, only one is offered, as by the others.
func subsystem(t testing.TB, o opensshtest.Options) Server {
	o.Config = append(o.Config, "MaxStartups 100", "HostKeyAlgorithms "+ssh.KeyAlgoED25519)
	s := opensshtest.Start(t, o)
	pem, err := os.ReadFile(s.KeyFile)
	require.NoError(t, err)
	key, err := ssh.ParsePrivateKey(pem)
	require.NoError(t, err)
	known, err := os.ReadFile(s.KnownHosts)
	require.NoError(t, err)
	server := Server{Addr: s.Addr, User: s.User, Key: key, Root: s.Root}
	for server.HostKey == nil || server.HostKey.Type() != ssh.KeyAlgoED25519 {
		_, _, server.HostKey, _, known, err = ssh.ParseKnownHosts(known)
		require.NoError(t, err)
	}
	return server
}
