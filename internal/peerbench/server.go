package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

// keeper replaces the test that opensshtest needs. It collects the cleanup functions and the errors.
type keeper struct {
	testing.TB // nil: only the methods below are called
	cleanups   []func()
	errs       []error
}

func (k *keeper) Helper()          {}
func (k *keeper) Failed() bool     { return len(k.errs) > 0 }
func (k *keeper) Cleanup(f func()) { k.cleanups = append(k.cleanups, f) }
func (k *keeper) Logf(format string, args ...any) {
	k.errs = append(k.errs, fmt.Errorf(format, args...))
}
func (k *keeper) Errorf(format string, args ...any) { k.Logf(format, args...) }
func (k *keeper) Fatal(args ...any)                 { k.Logf("%s", fmt.Sprint(args...)); runtime.Goexit() }
func (k *keeper) Fatalf(format string, args ...any) { k.Logf(format, args...); runtime.Goexit() }
func (k *keeper) Skip(args ...any)                  { k.Fatal(args...) }

// close runs the cleanup functions and returns all errors since the start.
func (k *keeper) close() error {
	for _, cleanup := range slices.Backward(k.cleanups) {
		cleanup()
	}
	return errors.Join(k.errs...)
}

// startServer starts an OpenSSH server with its stock limits. The keeper stops it.
func startServer() (*opensshtest.Server, *keeper, error) {
	k := &keeper{}
	var server *opensshtest.Server
	ended := make(chan struct{})
	go func() { // its own goroutine, because Fatal ends it
		defer close(ended)
		server = opensshtest.Start(k, opensshtest.Options{})
	}()
	<-ended
	if server == nil {
		return nil, nil, k.close()
	}
	return server, k, nil
}

// connector makes the server reachable over wires.
type connector struct {
	server  *opensshtest.Server
	dir     string // for its files
	program string
	made    int
}

// over returns the host at the near end of a wire. It lasts until the host is closed.
func (c *connector) over(w wire) (h host, err error) {
	if w.isLoopback() {
		return c.host(c.server.Addr)
	}
	l, err := link.New(c.server.Addr, w.options())
	if err != nil {
		return host{}, err
	}
	if h, err = c.host(l.Addr()); err != nil {
		return host{}, errors.Join(err, l.Close())
	}
	h.wire, h.link = w, l
	return h, nil
}

// preparing lets new sessions use the link without delay, like loopback, to save time.
func (h host) preparing() {
	if h.link != nil {
		h.link.SetOptions(link.Options{})
	}
}

// measuring reverts preparing.
func (h host) measuring() {
	if h.link != nil {
		h.link.SetOptions(h.wire.options())
	}
}

func (h host) close() error {
	if h.link == nil {
		return nil
	}
	return h.link.Close()
}

func (c *connector) host(addr string) (host, error) {
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		return host{}, err
	}
	known, err := os.ReadFile(c.server.KnownHosts)
	if err != nil {
		return host{}, err
	}
	c.made++
	h := host{addr: name, port: port, user: c.server.User, keyFile: c.server.KeyFile, program: c.program,
		knownHosts: filepath.Join(c.dir, fmt.Sprintf("known_hosts-%d", c.made)),
		sshConfig:  filepath.Join(c.dir, fmt.Sprintf("ssh_config-%d", c.made)),
	}
	return h, errors.Join(
		os.WriteFile(h.knownHosts, []byte(movedHost(string(known), addr)), 0o600),
		os.WriteFile(h.sshConfig, []byte(sshConfigText(h)), 0o600))
}

// movedHost returns a known_hosts file with the same keys for another address.
func movedHost(known, addr string) string {
	var b strings.Builder
	for line := range strings.Lines(known) {
		if _, key, ok := strings.Cut(line, " "); ok {
			b.WriteString(knownhosts.Normalize(addr) + " " + key)
		}
	}
	return b.String()
}
