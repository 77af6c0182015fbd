package sftpfs

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path"
	"strings"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// A session is one SFTP channel on one connection. It never comes back: once lost, another takes its place.
type session struct {
	client *sftp.Client
	addr   string // for messages
	root   string // Config.Root on the server, absolute and clean

	// What ends with the session. Nil where client belongs to the program.
	conn net.Conn
	ssh  *ssh.Client
	wg   sync.WaitGroup

	once  sync.Once
	lost  chan struct{} // closed by fail
	cause error         // why; set before lost is closed
}

func newSession(client *sftp.Client, addr string) *session {
	return &session{client: client, addr: addr, lost: make(chan struct{})}
}

// resolve finds where root is on the server. What is not absolute is taken from the login directory.
func (s *session) resolve(root string) error {
	s.root = path.Clean(root)
	if strings.HasPrefix(root, "/") {
		return nil
	}
	login, err := s.client.RealPath(".")
	if err != nil {
		return s.reduce(err)
	}
	s.root = path.Join("/", login, root)
	return nil
}

// watch fails the session when its connection ends.
func (s *session) watch() {
	s.wg.Go(func() {
		err := s.client.Wait()
		if err == nil {
			err = errors.New("closed by the server")
		}
		s.fail(err)
	})
}

// fail ends the session. Closing the network connection is what releases the calls that wait on it; the first
// cause is the one they report.
func (s *session) fail(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.lost)
		if s.conn != nil {
			s.conn.Close()
		}
	})
}

func (s *session) isLost() bool {
	select {
	case <-s.lost:
		return true
	default:
		return false
	}
}

// close ends the session on this side's wish and waits for its goroutines.
func (s *session) close() {
	s.fail(fs.ErrClosed)
	if s.conn == nil {
		return
	}
	s.wg.Wait()
	s.client.Close() // whose errors say that the connection is closed
	s.ssh.Wait()
}

// unavailable ends the session for err, and says so in the words of the first cause. That cause is not wrapped: it
// could match a sentinel that means an answer of the server.
func (s *session) unavailable(err error) error {
	s.fail(err)
	if errors.Is(s.cause, fs.ErrClosed) {
		return fs.ErrClosed
	}
	return fmt.Errorf("%w: %s: %v", ErrUnavailable, s.addr, s.cause)
}
