package sftpfs

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// Capabilities describe what a server can do: what it offers, and what the Fs has learned about it so far. Each field
// changes how the Fs uses the server.
type Capabilities struct {
	// Extensions are the protocol extensions that the server offers, with their versions.
	Extensions map[string]string

	// AtomicReplace: Rename replaces an existing file in one step. If false, Rename refuses to replace, as far as is
	// known; see Config.AllowNonAtomicReplace.
	AtomicReplace bool

	// Sync: File.Sync flushes a file to the server's disk.
	Sync bool

	// RefusesModes: the server has refused to set the mode of a new file. The Fs does not try again.
	RefusesModes bool

	// Packet is the number of bytes in one read or write request.
	Packet int

	// Channels and Connections count what is open now. MoreChannels reports whether another channel may be opened:
	// Config.MaxChannels is not reached, and the server has not refused, as far as is known.
	Channels, Connections int
	MoreChannels          bool

	// Files is how many files may be open on one channel, as stated by the server or found out; 0: unknown.
	Files int

	// RoundTrip is the shortest round trip measured; 0: unknown.
	RoundTrip time.Duration
}

// learnt is what the Fs learns about a server while using it. All sessions share it.
type learnt struct {
	mu           sync.Mutex // guards the following
	replaces     bool       // a plain rename has replaced a file
	refusesModes bool
	links        int // the order of the paths of a symbolic link; 0: unknown
	// refusesAttributes: the server could not set mode and times of a new file together.
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

// Capabilities returns what is known about the server. It connects if there is no connection, and fails as Connect
// does.
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

// RoundTrip returns the shortest round trip measured on the current connections; 0 if none was measured. It does not
// connect.
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

// extensions returns the extensions that the server offers. pkg/sftp cannot list them, so for a client of the program's
// only three are looked up.
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
