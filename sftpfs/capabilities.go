package sftpfs

import (
	"context"
	"maps"
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

	// Refused are the kinds of requests that the server does not support, sorted. The server has refused one of each. The
	// Fs does not send them again: calls that need one fail at once, with the error of the first one, which matches
	// errors.ErrUnsupported. That holds until the Fs is closed, also on new connections, even if another version of the
	// server answers there.
	//
	// The kinds are "setstat mode", "setstat owner" and "setstat times" (by name), "fsetstat mode" and "fsetstat times" (of
	// a new file), "mode of a new file" (in both ways), "rename", "symlink", "symlink to a relative path" (which becomes
	// absolute), "readlink", and the extensions "posix-rename@openssh.com", "fsync@openssh.com" and "statvfs@openssh.com".
	// "rename" means that the server cannot even rename a file within its directory. A refusal for lack of permission is
	// about one name and not in Refused, except for the kinds that are about the Fs's own new files. Neither is the refusal
	// of what the server has done before.
	Refused []string

	// Packet is the number of bytes in one read or write request.
	Packet int

	// Channels and Connections count what is open now. MoreChannels reports whether another channel may be opened:
	// Config.MaxChannels is not reached, and the server has not refused, as far as is known.
	Channels, Connections int
	MoreChannels          bool

	// Requests is how many requests are in flight on one channel at most: 256, or fewer if Quirks.MaxRequests says so, or
	// the server has ended connections on which there were more.
	Requests int

	// Files is how many files may be open on one channel, as stated by the server or found out; 0: unknown.
	Files int

	// RoundTrip is the shortest round trip measured; 0: unknown.
	RoundTrip time.Duration
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
		AtomicReplace: f.learnt.replacesAtomically(s) || f.learnt.hasReplaced(),
		Sync:          s.offers(wire.ExtensionFsync) && f.learnt.refusal(kindFsync) == nil,
		RefusesModes:  f.learnt.refusal(kindNewMode) != nil,
		Refused:       f.learnt.refusals(),
		Packet:        s.packet(),
		Channels:      1,
		Connections:   1,
		Requests:      f.learnt.requests.most(),
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
// only those that the Fs uses are looked up.
func (s *session) extensions() map[string]string {
	if s.wire != nil {
		return maps.Clone(s.wire.Extensions())
	}
	offers := make(map[string]string)
	for _, name := range []string{wire.ExtensionLimits, wire.ExtensionFsync, wire.ExtensionPosixRename, wire.ExtensionStatVFS} {
		if version, ok := s.client.HasExtension(name); ok {
			offers[name] = version
		}
	}
	return offers
}
