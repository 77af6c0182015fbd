package sftptest

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/spf13/afero"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// Options configure a Server. The zero value of each field, and a nil pointer, select the defaults.
type Options struct {
	// Fs is the tree to serve. nil: a new tree in memory, which has symbolic links, modes and times. Symbolic links are
	// served if Fs is an afero.Symlinker.
	Fs afero.Fs

	// Addr is the loopback address to listen on. "": a free port of 127.0.0.1.
	Addr string

	// User is the only user who may log in. "": "test".
	User string

	// Password lets User log in, also with keyboard-interactive authentication. "": no password.
	Password string

	// AuthorizedKeys let User log in. So does a key that the server makes for Config.
	AuthorizedKeys []ssh.PublicKey

	// HostKeys are the server's host keys. nil: a new ed25519 key.
	HostKeys []ssh.Signer
}

// A Server is an SFTP server on the loopback interface. It is safe for concurrent use.
type Server struct {
	opts   Options
	addr   string
	key    ssh.Signer // logs the user in
	config *ssh.ServerConfig
	tree   *tree
	gate   gate

	mu       sync.Mutex // guards the following
	listener net.Listener
	conns    map[net.Conn]struct{}
	closed   bool

	wg sync.WaitGroup // the listener's and the connections' goroutines
}

// New starts a server. It runs until Close.
func New(opts *Options) (*Server, error) {
	s := &Server{conns: make(map[net.Conn]struct{})}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Fs == nil {
		s.opts.Fs = newMemFs()
	}
	if s.opts.User == "" {
		s.opts.User = "test"
	}
	if s.opts.HostKeys == nil {
		key, err := newKey()
		if err != nil {
			return nil, fmt.Errorf("sftptest: %w", err)
		}
		s.opts.HostKeys = []ssh.Signer{key}
	}
	var err error
	if s.key, err = newKey(); err != nil {
		return nil, fmt.Errorf("sftptest: %w", err)
	}
	s.config = serverConfig(s.opts, s.key.PublicKey())
	s.tree = &tree{fs: s.opts.Fs}
	s.addr = s.opts.Addr
	if s.addr == "" {
		s.addr = "127.0.0.1:0"
	}
	if err := s.Start(); err != nil {
		return nil, err
	}
	return s, nil
}

func newKey() (ssh.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(key)
}

// Addr returns the address as "host:port". It stays the same across Stop and Start.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Config returns a Config with which sftpfs.New connects to the server. Its Root is "/", the root of the served tree.
func (s *Server) Config() sftpfs.Config {
	keys := make([]ssh.PublicKey, len(s.opts.HostKeys))
	for i, k := range s.opts.HostKeys {
		keys[i] = k.PublicKey()
	}
	cfg := sftpfs.Config{
		Addr:            s.Addr(),
		User:            s.opts.User,
		Root:            "/",
		HostKeyCallback: oneOf(keys),
	}
	if s.opts.Password != "" {
		cfg.KeyFiles, cfg.Password = []string{}, s.opts.Password
	} else {
		cfg.Auth = []ssh.AuthMethod{ssh.PublicKeys(s.key)}
	}
	return cfg
}

// Start listens again after Stop, on the same address, with the same host keys and the same tree. It fails if the
// server is already started and, with net.ErrClosed, after Close.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return fmt.Errorf("sftptest: %w", net.ErrClosed)
	case s.listener != nil:
		return errors.New("sftptest: already started")
	}
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("sftptest: %w", err)
	}
	s.listener, s.addr = l, l.Addr().String()
	s.wg.Go(func() { s.accept(l) })
	return nil
}

// Stop closes the listener and all connections, and returns when their goroutines have ended. New connections are
// refused until Start.
func (s *Server) Stop() error {
	s.mu.Lock()
	l := s.listener
	s.listener = nil
	s.mu.Unlock()
	var err error
	if l != nil {
		err = l.Close()
	}
	s.Disconnect()
	s.wg.Wait()
	return err
}

// Close stops the server for good. Closing again does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return s.Stop()
}

// Disconnect drops the current connections. New ones are accepted.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// Freeze makes the server silent until Thaw: it accepts connections and receives data, but answers nothing and carries
// nothing out, as if the network had lost the data.
func (s *Server) Freeze() { s.gate.shut() }

// Thaw ends Freeze. The server then carries out and answers what it received meanwhile.
func (s *Server) Thaw() { s.gate.open() }

// accept serves the connections of l until it is closed.
func (s *Server) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		c := newGatedConn(conn, &s.gate)
		if !s.track(l, c) {
			c.Close()
			return
		}
		s.wg.Go(func() {
			defer s.untrack(c)
			s.serve(c)
		})
	}
}

// track records c for Disconnect. It returns false if l was stopped before.
func (s *Server) track(l net.Listener, c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != l {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) untrack(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}
