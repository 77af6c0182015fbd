package sftptest

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/spf13/afero"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// A Server is an SFTP server on loopback. Its methods may be called by many goroutines at once.
type Server struct {
	opts    Options
	addr    string
	key     ssh.Signer // logs the user in
	config  *ssh.ServerConfig
	tree    *tree
	gate    gate
	handles handles
	logins  atomic.Int64 // connections that are logged in

	mu       sync.Mutex // guards the fields below
	listener net.Listener
	link     *link.Link    // before the listener; nil: none
	stopped  chan struct{} // closed by Stop
	accepted int           // connections since New
	conns    map[net.Conn]struct{}
	closed   bool

	wg sync.WaitGroup // the listener's and the connections' goroutines
}

// New starts a server, which runs until Close. In a test, Start is shorter.
func New(opts *Options) (*Server, error) {
	s := &Server{conns: make(map[net.Conn]struct{}), handles: handles{open: make(map[string]*handle)}}
	if opts != nil {
		s.opts = *opts
	}
	if err := s.opts.setDefaults(); err != nil {
		return nil, fmt.Errorf("sftptest: %w", err)
	}
	var err error
	if s.key, err = newKey(); err != nil {
		return nil, fmt.Errorf("sftptest: %w", err)
	}
	s.config = serverConfig(s.opts, s.key.PublicKey())
	s.tree = s.opts.tree()
	s.addr = s.opts.Addr
	if err := s.Start(); err != nil {
		return nil, err
	}
	return s, nil
}

// freePort is an address with a port that the system chooses.
const freePort = "127.0.0.1:0"

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

// Fs returns the tree that is served, so that a test can examine and change it without the server.
func (s *Server) Fs() afero.Fs { return s.opts.Fs }

// Config returns what sftpfs.New needs to use the server. Root is "/", the root of the served tree.
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
	front, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("sftptest: %w", err)
	}
	back := front
	if s.opts.Latency > 0 || s.opts.Bandwidth > 0 {
		if back, err = net.Listen("tcp", freePort); err != nil {
			front.Close()
			return fmt.Errorf("sftptest: %w", err)
		}
		s.link = link.Serve(front, back.Addr().String(),
			link.Options{RoundTrip: s.opts.Latency, Bandwidth: s.opts.Bandwidth})
	}
	s.listener, s.addr, s.stopped = back, front.Addr().String(), make(chan struct{})
	s.wg.Go(func() { s.accept(back) })
	return nil
}

// Stop ends the listener and all connections, and returns when their goroutines have ended. Requests that wait are not executed any
// more. New connections are refused until Start.
func (s *Server) Stop() error {
	s.mu.Lock()
	listener, front := s.listener, s.link
	s.listener, s.link = nil, nil
	if listener != nil {
		close(s.stopped)
	}
	s.mu.Unlock()
	var err error
	if front != nil {
		err = front.Close()
	}
	if listener != nil {
		err = errors.Join(err, listener.Close())
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

// Disconnect drops the connections that exist; new ones are accepted. Requests that were received are still executed.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != nil {
		s.link.Cut()
	}
	for c := range s.conns {
		c.Close()
	}
}

// Freeze makes the server silent: it accepts connections and takes what is sent, but answers and executes
// nothing, as if the network had lost it, until Thaw.
func (s *Server) Freeze() { s.gate.shut() }

// Thaw ends Freeze: what was received meanwhile is executed and answered.
func (s *Server) Thaw() { s.gate.open() }

// accept serves the connections of l until it is closed.
func (s *Server) accept(l net.Listener) {
	for {
		accepted, err := l.Accept()
		if err != nil {
			return
		}
		c := &conn{server: s, net: newGatedConn(accepted, &s.gate)}
		if !s.track(l, c) {
			c.net.Close()
			return
		}
		s.wg.Go(func() {
			defer s.untrack(c.net)
			c.serve()
		})
	}
}

// track remembers c for Disconnect, unless l was stopped before.
func (s *Server) track(l net.Listener, c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != l {
		return false
	}
	s.conns[c.net] = struct{}{}
	s.accepted++
	c.number, c.stopped = s.accepted, s.stopped
	return true
}

func (s *Server) untrack(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}
