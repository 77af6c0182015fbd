package sftpservers

import (
	"testing"

	"golang.org/x/crypto/ssh"
)

// A Server is one that runs.
type Server struct {
	Addr     string // "127.0.0.1:port"
	User     string
	Password string // "": Key logs in
	Key      ssh.Signer
	HostKey  ssh.PublicKey
	Root     string // an empty directory to work in, as clients name it
}

// A Kind is a server that can be started.
type Kind struct {
	Name  string
	Start func(t testing.TB) Server
}

// Kinds are all there are.
var Kinds = []Kind{
	{"pkg/sftp Server", pkgSFTP},
	{"ProFTPD", proFTPD},
	{"dropbear", dropbear},
	{"asyncssh", asyncSSH},
}
