package sftpfs

import (
	"context"
	"crypto/ed25519"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/link"
)

// A starter is an SSH server, in virtual time, that says it is OpenSSH and starts what it is told to.
type starter struct {
	sftp      func(io.ReadWriteCloser) // nil: an honest server that works in order
	roundTrip time.Duration
	stalls    bool // says something unasked when a channel is opened, and goes on when that is acknowledged

	mu    sync.Mutex // guards the following
	dials int
}

func (s *starter) serve(conn net.Conn) {
	_, key, _ := ed25519.GenerateKey(nil)
	signer, _ := ssh.NewSignerFromKey(key)
	cfg := &ssh.ServerConfig{NoClientAuth: true, ServerVersion: "SSH-2.0-OpenSSH_9.2"}
	cfg.AddHostKey(signer)
	sshConn, channels, requests, err := ssh.NewServerConn(conn, cfg)
	if err != nil {
		return
	}
	heard := make(chan struct{}, 1000)
	go func() {
		for r := range requests {
			heard <- struct{}{}
			_ = r.Reply(false, nil)
		}
	}()
	for c := range channels {
		if s.stalls {
			_, _, _ = sshConn.SendRequest("hostkeys-00@openssh.com", false, nil)
			<-heard
		}
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				_ = r.Reply(true, nil)
				if s.sftp != nil {
					go s.sftp(channel)
				} else {
					go (&hostile{inOrder: true}).serve(channel)
				}
			}
			_ = channel.Close()
		}()
	}
}

// connected is an Fs on the server. The test is in a bubble.
func (s *starter) connected(t *testing.T, dialTimeout time.Duration) *Fs {
	f, err := New(Config{
		Addr: "host", User: "user", Root: "/", DialTimeout: dialTimeout,
		Auth:            []ssh.AuthMethod{},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Dial: func(context.Context, string, string) (net.Conn, error) {
			near, far := link.Pipe(link.Options{RoundTrip: s.roundTrip})
			s.mu.Lock()
			s.dials++
			s.mu.Unlock()
			go s.serve(far)
			return near, nil
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, f.Close())
		time.Sleep(time.Minute) // until the server has ended, too
	})
	return f
}
