package sftptest

import (
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// A conn is one connection of a client.
type conn struct {
	server  *Server
	net     net.Conn
	number  int
	stopped <-chan struct{} // closed when the server stops

	channels atomic.Int64 // that are open
	handles  int          // open handles; guarded by Server.handles
}

// hasStopped reports whether the server has stopped since the connection was made.
func (c *conn) hasStopped() bool {
	select {
	case <-c.stopped:
		return true
	default:
		return false
	}
}

// serve serves the connection and its channels. It returns when the connection has ended and all requests that it
// brought are done.
func (c *conn) serve() {
	sshConn, channels, requests, err := ssh.NewServerConn(c.net, c.server.config)
	if err != nil {
		return
	}
	defer sshConn.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { ssh.DiscardRequests(requests) })

	logins := &c.server.logins
	defer logins.Add(-1) // also if a request still waits
	if most := int64(c.server.opts.MaxLogins); logins.Add(1) > most && most > 0 {
		sshConn.Close()
	}
	c.acceptChannels(channels, &wg)
}

// acceptChannels serves channels, in goroutines of wg, until the connection ends.
func (c *conn) acceptChannels(offered <-chan ssh.NewChannel, wg *sync.WaitGroup) {
	opts := &c.server.opts
	number := 0
	for o := range offered {
		switch most := int64(opts.MaxChannels); {
		case o.ChannelType() != "session":
			_ = o.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		case opts.oneChannel && number > 0:
			c.net.Close()
			continue
		case most > 0 && c.channels.Load() >= most:
			_ = o.Reject(ssh.ConnectionFailed, "open failed")
			continue
		}
		channel, requests, err := o.Accept()
		if err != nil {
			continue
		}
		number++
		c.channels.Add(1)
		s := &session{conn: c, channel: channel, number: number}
		wg.Go(func() { s.serveChannel(requests) })
	}
}

// serveChannel starts the sftp subsystem when the client asks for it, once.
func (s *session) serveChannel(requests <-chan *ssh.Request) {
	defer s.channel.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	started := false
	for r := range requests {
		var subsystem struct{ Name string }
		ok := r.Type == "subsystem" && !started && ssh.Unmarshal(r.Payload, &subsystem) == nil &&
			subsystem.Name == "sftp"
		_ = r.Reply(ok, nil)
		if ok {
			started = true
			wg.Go(s.serve)
		}
	}
	s.conn.channels.Add(-1)
}
