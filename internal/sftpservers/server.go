package sftpservers

import (
	"testing"

	"golang.org/x/crypto/ssh"
)

// Server is a running server.
type Server struct {
	Addr     string // "127.0.0.1:port"
	User     string
	Password string // "": Key logs in
	Key      ssh.Signer
	HostKey  ssh.PublicKey
	Root     string // an empty directory to work in, as clients name it
}

var kinds = map[string]func(testing.TB) Server{
	"pkg/sftp Server": pkgSFTP,
	"ProFTPD":         proFTPD,
	"dropbear":        dropbear,
	"asyncssh":        asyncSSH,
	"rclone":          rclone,
	"rclone writes":   rcloneWrites,
	"node ssh2":       ssh2,
}

// Start starts the server with that name: "pkg/sftp Server", "ProFTPD", "dropbear", "asyncssh", "rclone", "rclone
// writes" (whose cache holds only files that are written) or "node ssh2".
func Start(t testing.TB, name string) Server {
	t.Helper()
	return kinds[name](t)
}
