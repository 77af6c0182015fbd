package sftpservers

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// pkgSFTP is the Server of github.com/pkg/sftp, inside the process.
func pkgSFTP(t testing.TB) Server {
	return inProcess(t, func(channel ssh.Channel) {
		if server, err := sftp.NewServer(channel); err == nil {
			_ = server.Serve()
		}
	})
}

// inProcess has serve speak SFTP on each channel.
func inProcess(t testing.TB, serve func(ssh.Channel)) Server {
	m := prepare(t)
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(k.Marshal(), m.client.signer.PublicKey().Marshal()) {
				return nil, errors.New("refused")
			}
			return nil, nil
		},
	}
	config.AddHostKey(m.host.signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			wg.Go(func() { defer c.Close(); serveConn(c, config, serve) })
		}
	})
	t.Cleanup(func() { l.Close() })
	return m.server(l.Addr().String())
}

func serveConn(c net.Conn, config *ssh.ServerConfig, serve func(ssh.Channel)) {
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	defer conn.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			continue
		}
		wg.Go(func() {
			for r := range requests {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		})
		wg.Go(func() {
			defer channel.Close()
			serve(channel)
		})
	}
}
