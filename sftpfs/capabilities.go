package sftpfs

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// Capabilities are what a server can do: what it offers, and what was learnt of it so far. Each of these changes how it
// is used.
type Capabilities struct {
	// Extensions are those of the protocol that the server offers, with their versions.
	Extensions map[string]string

	// AtomicReplace: Rename replaces an existing file in one step. Otherwise it refuses to, as far as is known; see
	// Config.AllowNonAtomicReplace.
	AtomicReplace bool

	// Sync: File.Sync puts a file on the server's disk.
	Sync bool

	// RefusesModes: the server has refused to set the mode of a file that was just made, and is not asked to again.
	RefusesModes bool

	// Packet is how many bytes are read or written in one request.
	Packet int

	// Channels and Connections are how many there are, and MoreChannels whether the server has not yet refused more.
	Channels, Connections int
	MoreChannels          bool

	// Files is how many may be open on one channel, as the server says or was seen to refuse; 0 is not known.
	Files int

	// RoundTrip is the shortest seen; 0 is not known yet.
	RoundTrip time.Duration
}

// learnt is what is learnt of a server while it is used. All sessions on it share it.
type learnt struct {
	mu           sync.Mutex // guards the following
	replaces     bool       // a plain rename has replaced a file
	refusesModes bool
	links        int // the order of their paths
	// refusesAttributes: mode and times of a file that was just written could not be set together.
	refusesAttributes bool
}

func (l *learnt) linkOrder() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.links
}

func (l *learnt) noteLinkOrder(order int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.links = order
}

func (l *learnt) note(what *bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*what = true
}

func (l *learnt) is(what *bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *what
}

// Capabilities returns what is known of the server. It connects if there is no connection, and fails as Connect does.
func (f *Fs) Capabilities(ctx context.Context) (Capabilities, error) {
	s, err := f.initialized(ctx)
	if err != nil {
		return Capabilities{}, err
	}
	defer s.release()
	c := Capabilities{
		Extensions:    s.extensions(),
		AtomicReplace: s.offers(wire.ExtensionPosixRename) || f.learnt.is(&f.learnt.replaces),
		Sync:          s.offers(wire.ExtensionFsync),
		RefusesModes:  f.learnt.is(&f.learnt.refusesModes),
		Packet:        s.packet(),
		Channels:      1,
		Connections:   1,
		Files:         int(s.limit.Load()),
		RoundTrip:     time.Duration(s.conn.roundTrip.Load()),
	}
	if m, ok := f.conns.(*manager); ok {
		m.mu.Lock()
		defer m.mu.Unlock()
		c.Channels, c.Connections = len(m.live()), len(m.connections)
		_, c.MoreChannels = m.place()
	}
	return c, nil
}

// RoundTrip returns the shortest round trip to the server that was seen on the connections that there are, 0 if none was. It
// does not connect.
func (f *Fs) RoundTrip() time.Duration {
	m, ok := f.conns.(*manager)
	if !ok {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	shortest := int64(0)
	for _, c := range m.connections {
		if took := c.roundTrip.Load(); took > 0 && (shortest == 0 || took < shortest) {
			shortest = took
		}
	}
	return time.Duration(shortest)
}

// extensions returns what the server offers. Of a client that the program made, only what matters here can be found.
func (s *session) extensions() map[string]string {
	if s.wire != nil {
		return maps.Clone(s.wire.Extensions())
	}
	offers := make(map[string]string)
	for _, name := range []string{wire.ExtensionLimits, wire.ExtensionFsync, wire.ExtensionPosixRename} {
		if version, ok := s.client.HasExtension(name); ok {
			offers[name] = version
		}
	}
	return offers
}
