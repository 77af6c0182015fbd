package sftptest

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

var errRefused = errors.New("refused")

// serverConfig returns the configuration that says who may log in, and how. own is the key that Server.Config uses.
func serverConfig(opts Options, own ssh.PublicKey) *ssh.ServerConfig {
	keys := append([]ssh.PublicKey{own}, opts.AuthorizedKeys...)
	cfg := &ssh.ServerConfig{
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			return nil, admit(c.User() == opts.User && slices.ContainsFunc(keys, equal(key)))
		},
	}
	if opts.Password != "" {
		right := func(c ssh.ConnMetadata, password string) error {
			return admit(c.User() == opts.User &&
				subtle.ConstantTimeCompare([]byte(password), []byte(opts.Password)) == 1)
		}
		cfg.PasswordCallback = func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return nil, right(c, string(password))
		}
		cfg.KeyboardInteractiveCallback = func(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (
			*ssh.Permissions, error,
		) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return nil, err
			}
			return nil, right(c, answers[0])
		}
	}
	for _, k := range opts.HostKeys {
		cfg.AddHostKey(k)
	}
	return cfg
}

func admit(ok bool) error {
	if !ok {
		return errRefused
	}
	return nil
}

func equal(a ssh.PublicKey) func(ssh.PublicKey) bool {
	return func(b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }
}

// oneOf returns a callback that accepts the given host keys.
func oneOf(keys []ssh.PublicKey) ssh.HostKeyCallback {
	return func(_ string, _ net.Addr, key ssh.PublicKey) error {
		if !slices.ContainsFunc(keys, equal(key)) {
			return fmt.Errorf("not a host key of this server: %s", ssh.FingerprintSHA256(key))
		}
		return nil
	}
}

// serve serves one connection, with any number of channels, until it ends.
func (s *Server) serve(conn net.Conn) {
	sshConn, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	defer sshConn.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { ssh.DiscardRequests(requests) })
	for c := range channels {
		if c.ChannelType() != "session" {
			_ = c.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		channel, requests, err := c.Accept()
		if err != nil {
			continue
		}
		wg.Go(func() { s.serveChannel(channel, requests) })
	}
}

// serveChannel starts SFTP when the client asks for it, once.
func (s *Server) serveChannel(channel ssh.Channel, requests <-chan *ssh.Request) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer channel.Close()
	started := false
	for r := range requests {
		var subsystem struct{ Name string }
		ok := r.Type == "subsystem" && !started && ssh.Unmarshal(r.Payload, &subsystem) == nil &&
			subsystem.Name == "sftp"
		if ok {
			started = true
			wg.Go(func() { serveSFTP(channel, s.tree) })
		}
		_ = r.Reply(ok, nil)
	}
}

func serveSFTP(channel ssh.Channel, t *tree) {
	defer channel.Close()
	h := &handlers{tree: t, open: make(map[string]*handle)}
	server := sftp.NewRequestServer(channel, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
	if err := server.Serve(); err == io.EOF {
		server.Close()
	}
}
