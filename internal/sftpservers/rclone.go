package sftpservers

import (
	"fmt"
	"path/filepath"
	"testing"
)

// rclone serves with one of its cache modes, and writes back at once. Without that, a file that is renamed, or whose
// directory is, within five seconds of its end may be lost.
func rclone(mode string) func(testing.TB) Server {
	return func(t testing.TB) Server {
		program := find(t, "rclone")
		m := prepare(t)
		s := m.server(run(t, m.port, program, "serve", "sftp", m.root, "--addr", fmt.Sprintf("127.0.0.1:%d", m.port),
			"--config", filepath.Join(m.dir, "none"), "--cache-dir", filepath.Join(m.dir, "cache"),
			"--key", m.host.file, "--user", "test", "--pass", password,
			"--vfs-cache-mode", mode, "--vfs-write-back", "0s", "--dir-cache-time", "0s"))
		s.Password, s.Root = password, "/"
		return s
	}
}
