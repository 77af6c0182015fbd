// Package opensshtest runs a real OpenSSH server for a test.
//
// Start writes everything that the server needs into a temporary directory (host keys, a client key, a configuration, a
// directory to serve), starts sshd on a loopback port as the current user, and waits until it listens. The server and
// its sessions are killed when the test ends. Nothing outside the temporary directory is read or written, in particular
// not ~/.ssh. Only /run/sshd, without which sshd refuses to start as root, is made if it is missing.
//
// The test is skipped if sshd is not installed. If the environment variable CI is "true", a missing sshd fails the test
// instead.
package opensshtest

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"testing"
)

// Options say how a Server differs from a stock one. The zero value is a stock server.
type Options struct {
	// Config holds lines for sshd_config, such as "MaxSessions 1". They come before the generated lines, and sshd uses the
	// first value that it reads. A Match block is not possible: it would include the generated lines.
	Config []string
	// SFTPServerArgs are arguments of internal-sftp, such as "-R" or "-P", "posix-rename".
	SFTPServerArgs []string
	// Subsystem is the command for SFTP instead of internal-sftp, such as "/usr/lib/openssh/sftp-server".
	Subsystem string
	// Setup are shell commands that run before the server starts, in a mount namespace of its own, where $ROOT is
	// Server.Root. It needs root on Linux; otherwise Start behaves as if sshd were not installed.
	Setup string
}

// Server is a running OpenSSH server. Start sets its fields, which never change. Its methods must be called from the
// goroutine of the test.
type Server struct {
	Addr       string // "127.0.0.1:port"
	User       string // the user who may log in: the current one
	KeyFile    string // private key (ed25519, no passphrase) that logs in
	KnownHosts string // known_hosts file with every host key of the server
	Root       string // an empty directory to work in; sessions start in the user's home, so pass it as their root

	t       testing.TB
	command []string // runs sshd, without its arguments
	config  string   // path of sshd_config
	process *process
}

// Start starts a server that is stopped when t ends. It ends the test if the server can't be started.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	return start(t, o, places)
}

func start(t testing.TB, o Options, places []string) *Server {
	t.Helper()
	sshd, err := find(places)
	if err == nil && o.Setup != "" && os.Getuid() != 0 {
		err = errors.New("a server with a Setup has to be started by root")
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s := &Server{t: t, command: []string{sshd}}
	if err := s.prepare(t, o); err != nil {
		t.Fatalf("opensshtest: %v", err)
	}
	return s
}

func (s *Server) prepare(t testing.TB, o Options) error {
	current, err := user.Current()
	if err != nil {
		return err
	}
	s.User = current.Username
	if err := privilegeSeparationDir(current.Uid); err != nil {
		return err
	}
	// Not t.TempDir: the name of a test may contain characters that have a meaning in sshd_config.
	dir, err := os.MkdirTemp("", "opensshtest-")
	if err != nil {
		return err
	}
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("opensshtest: %v", err)
		}
	})
	s.Root = filepath.Join(dir, "root")
	for _, made := range []string{s.Root, filepath.Join(dir, "home")} {
		if err := os.Mkdir(made, 0o755); err != nil {
			return err
		}
	}
	if o.Setup != "" {
		s.command = append([]string{"unshare", "--mount", "sh", "-ec", "ROOT=$1; shift\n" + o.Setup + "\nexec \"$@\"", "sh", s.Root},
			s.command...)
	}
	keys, err := writeKeys(dir)
	if err != nil {
		return err
	}
	s.KeyFile = keys.client
	return s.startOnFreePort(dir, keys, o)
}

// startOnFreePort tries another port if a process takes the chosen one before sshd binds it.
func (s *Server) startOnFreePort(dir string, keys keys, o Options) error {
	for attempt := 0; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		s.Addr = fmt.Sprintf("127.0.0.1:%d", port)
		if s.KnownHosts, err = keys.writeKnownHosts(dir, s.Addr); err != nil {
			return err
		}
		s.config = filepath.Join(dir, "sshd_config")
		if err := os.WriteFile(s.config, []byte(configText(port, keys, filepath.Join(dir, "home"), o)), 0o600); err != nil {
			return err
		}
		s.process, err = startProcess(s.command, s.config)
		if err == nil || attempt == 5 || !portTaken(s.Addr) {
			return err
		}
	}
}

// Stop kills the server and every session, and returns when they are gone. On a stopped server it does nothing.
func (s *Server) Stop() {
	s.t.Helper()
	if s.process == nil {
		return
	}
	p := s.process
	s.process = nil
	if err := p.stop(); err != nil {
		s.t.Errorf("opensshtest: stopping sshd: %v", err)
	}
	if s.t.Failed() {
		s.t.Logf("opensshtest: log of sshd on %s:\n%s", s.Addr, p.log())
	}
}

// Restart stops the server if it runs, and starts it again on the same address, with the same keys and files.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	p, err := startProcess(s.command, s.config)
	if err != nil {
		s.t.Fatalf("opensshtest: restart: %v", err)
	}
	s.process = p
}
