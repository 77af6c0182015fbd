package sftpservers

import (
	"fmt"
	"path/filepath"
	"testing"
)

// rclone serves through its cache, without which it can't change a file in place, and writes back at once.
func rclone(t testing.TB) Server { return rcloneCaching(t, "full") }

// rcloneWrites caches only files that are written.
func rcloneWrites(t testing.TB) Server { return rcloneCaching(t, "writes") }

func rcloneCaching(t testing.TB, mode string) Server {
	program := find(t, "rclone")
	m := prepare(t)
	s := m.server(run(t, m.port, program, "serve", "sftp", m.root, "--addr", fmt.Sprintf("127.0.0.1:%d", m.port),
		"--config", filepath.Join(m.dir, "none"), "--cache-dir", filepath.Join(m.dir, "cache"),
		"--key", m.host.file, "--user", "test", "--pass", password,
		"--vfs-cache-mode", mode, "--vfs-write-back", "0s", "--dir-cache-time", "0s"))
	s.Password, s.Root = password, "/"
	return s
}
