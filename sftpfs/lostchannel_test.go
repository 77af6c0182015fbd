package sftpfs

import (
	"crypto/ed25519"
	"net"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// A slowToClose is a connection whose end is held up.
type slowToClose struct {
	net.Conn
	once    sync.Once
	closing chan struct{} // closed when Close is called
	let     chan struct{} // to be closed, for Close to go on
}

func (c *slowToClose) Close() error {
	c.once.Do(func() { close(c.closing) })
	<-c.let
	return c.Conn.Close()
}

// A channel that is opened while its connection is given up is not answered any more, and not waited for.
func TestChannelOpenedWhileTheConnectionEnds(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ours, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	theirs, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, l.Close())
	conn := &slowToClose{Conn: ours, closing: make(chan struct{}), let: make(chan struct{})}
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	hostKey, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)

	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		config := &ssh.ServerConfig{NoClientAuth: true}
		config.AddHostKey(hostKey)
		server, channels, requests, err := ssh.NewServerConn(theirs, config)
		if err != nil {
			t.Error(err)
			return
		}
		defer server.Close()
		wg.Go(func() { ssh.DiscardRequests(requests) })
		first, firstRequests, err := (<-channels).Accept()
		if err != nil {
			t.Error(err)
			return
		}
		wg.Go(func() { ssh.DiscardRequests(firstRequests) })
		// The client ends a connection on which something comes for a channel that it does not have.
		id := reflect.ValueOf(first).Elem().FieldByName("remoteId")
		*(*uint32)(id.Addr().UnsafePointer()) = 99
		_, _ = first.Write([]byte("data"))
		for range channels {
		}
	})

	sshConn, channels, requests, err := ssh.NewClientConn(conn, "", &ssh.ClientConfig{
		HostKeyCallback: ssh.FixedHostKey(hostKey.PublicKey()),
	})
	require.NoError(t, err)
	client := ssh.NewClient(sshConn, channels, requests)
	wg.Go(func() { _ = client.Wait() })
	_, firstRequests, err := client.OpenChannel("session", nil)
	require.NoError(t, err)
	wg.Go(func() { ssh.DiscardRequests(firstRequests) })

	<-conn.closing
	_, _, err = client.OpenChannel("session", nil)
	require.Error(t, err, "opened on a connection that has ended")
	close(conn.let)
}
