package sftptest

import (
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// A session is SFTP on one channel. It executes requests in the order in which they arrive, as OpenSSH's sftp-server does.
type session struct {
	conn    *conn
	channel io.ReadWriteCloser
	number  int

	waiting atomic.Int64 // requests that were received and are not answered
	ended   atomic.Bool  // requests that were received but have not begun are not executed

	writing sync.Mutex // held while an answer is sent
}

// serve serves the channel. It returns when the client has ended the channel and all requests that it sent are done.
func (s *session) serve() {
	server := s.conn.server
	defer server.handles.abandonAll(s)
	var requests sync.WaitGroup
	defer requests.Wait()
	defer s.channel.Close()
	if s.start() != nil {
		return
	}
	received := make(chan *Request, server.opts.MaxRequests)
	requests.Go(func() { s.receive(received) })
	for r := range received {
		if s.ended.Load() {
			continue
		}
		s.begin(r)
		done, detached := make(chan struct{}), make(chan struct{})
		r.detach = sync.OnceFunc(func() { close(detached) })
		requests.Go(func() {
			defer close(done)
			s.answer(r, r.Next())
		})
		select {
		case <-done:
		case <-detached:
		}
	}
}

// start exchanges the versions of the protocol.
func (s *session) start() error {
	opts := &s.conn.server.opts
	packet, err := readPacket(s.channel, opts.MaxPacket)
	if err != nil {
		return err
	}
	if packet[0] != packetInit {
		return errMalformed
	}
	e := newPacket(packetVersion, protocolVersion)
	for _, name := range slices.Sorted(maps.Keys(opts.Extensions)) {
		e = e.string(name).string(opts.Extensions[name])
	}
	_, err = s.channel.Write(e.finish())
	return err
}

// receive reads requests until the channel ends.
func (s *session) receive(received chan<- *Request) {
	defer close(received)
	server := s.conn.server
	for {
		packet, err := readPacket(s.channel, server.opts.MaxPacket)
		if err != nil {
			return
		}
		r, err := parse(packet)
		if err != nil {
			return
		}
		if most := int64(server.opts.MaxRequests); s.waiting.Add(1) > most && most > 0 {
			s.end()
			return
		}
		received <- r
	}
}

// begin adds to r what the server knows about it.
func (s *session) begin(r *Request) {
	server := s.conn.server
	r.session, r.hooks = s, server.opts.Hooks
	r.Conn, r.Channel = s.conn.number, s.number
	if h := server.handles.get(s, r.Handle); h != nil {
		r.Path, r.Flags = h.path, h.flags
	}
}

// answer sends a, drops it, or ends the connection, as its fate requires.
func (s *session) answer(r *Request, a Answer) {
	switch a.fate {
	case neverSent:
		return
	case endsConnection:
		s.end()
		return
	}
	s.waiting.Add(-1)
	s.writing.Lock()
	defer s.writing.Unlock()
	_, _ = s.channel.Write(a.packet(r)) // if that fails, so does reading
}

// end ends the connection.
func (s *session) end() {
	s.ended.Store(true)
	s.conn.net.Close()
}
