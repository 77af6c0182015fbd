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
	"pkg/sftp Server":        pkgSFTP,
	"pkg/sftp RequestServer": requestServer,
	"ProFTPD":                proFTPD,
	"dropbear":               dropbear,
	"asyncssh":               asyncSSH,
	"paramiko":               paramiko,
	"paramiko minimal":       paramikoMinimal,
	"rclone off":             rclone("off"),
	"rclone minimal":         rclone("minimal"),
	"rclone writes":          rclone("writes"),
	"rclone":                 rclone("full"),
	"node ssh2":              ssh2,
	"mysecureshell":          mySecureShell,
	"gesftpserver":           gesftpserver,
}

// Start starts the server with that name. Those of rclone are named for their cache: with "rclone off" there is none, and
// "rclone" is the full one, without which it can't change a file in place.
func Start(t testing.TB, name string) Server {
	t.Helper()
	return kinds[name](t)
}
