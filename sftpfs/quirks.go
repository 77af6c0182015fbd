package sftpfs

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
)

// Quirks state what is known of a server. The Fs finds all of it out by itself, so they are rarely needed: they save the
// requests, the failed calls or the lost connections that this takes. With the zero value, everything is found out.
type Quirks struct {
	// MaxRequests is how many requests of one channel may wait for their answers, where more end the connection. It also
	// ends pipelining. 0: found out.
	MaxRequests int

	// MaxFiles is how many files and directories may be open at a time, on all channels together. Calls wait for their
	// turn to open one. It has no effect on OpenSSH's own server. 0: found out.
	MaxFiles int

	// OneChannel: the server ends a connection on which a second channel is opened. Where Config.MaxChannels would bound
	// the channels of all connections, OneChannel gives each connection one.
	OneChannel bool

	// NoFstat: the server refuses FSTAT, or answers wrongly. The attributes of an open file are asked for by its name.
	NoFstat bool

	// FstatOfHandle: the server answers FSTAT with the attributes of the open file, also when its name leads to another one
	// by then. Large files are read over several channels only from such servers. Known of OpenSSH's own and mod_sftp.
	FstatOfHandle bool

	// SymlinkOrder is the order in which the server reads the paths of a symbolic link. 0: found out, for which the first
	// symbolic link takes a trial on other servers than OpenSSH's own.
	SymlinkOrder SymlinkOrder

	// Refused are kinds of requests that the server does not support, as in Capabilities.Refused. They are not sent.
	Refused []string
}

// A SymlinkOrder is an order in which servers read the two paths of a request for a symbolic link.
type SymlinkOrder int

// Orders of paths. The zero value is none.
const (
	TargetFirst SymlinkOrder = 1 + iota // as OpenSSH and most others do
	LinkFirst                           // as draft-ietf-secsh-filexfer-02 has it
)

// checked returns an error if a field is invalid.
func (q Quirks) checked() error {
	switch {
	case q.MaxRequests < 0:
		return fmt.Errorf("Quirks.MaxRequests %d: %w", q.MaxRequests, invalid.Argument)
	case q.MaxFiles < 0:
		return fmt.Errorf("Quirks.MaxFiles %d: %w", q.MaxFiles, invalid.Argument)
	case q.SymlinkOrder < 0 || q.SymlinkOrder > LinkFirst:
		return fmt.Errorf("Quirks.SymlinkOrder %d: %w", q.SymlinkOrder, invalid.Argument)
	case q.NoFstat && q.FstatOfHandle:
		return fmt.Errorf("Quirks.NoFstat and Quirks.FstatOfHandle: %w", invalid.Argument)
	}
	for _, kind := range q.Refused {
		if !slices.Contains(requestKinds, requestKind(kind)) {
			return fmt.Errorf("Quirks.Refused %q: %w", kind, invalid.Argument)
		}
	}
	return nil
}

// learnt returns what is known of the server before it is used.
func (q Quirks) learnt() *learnt {
	l := newLearnt()
	l.requests.stated = q.MaxRequests
	l.files.limit, l.files.proven = q.MaxFiles, q.MaxFiles > 0
	l.channels.one.Store(q.OneChannel)
	l.refusesFstat.Store(q.NoFstat)
	l.fstatOfHandle = q.FstatOfHandle
	l.links = q.SymlinkOrder
	for _, kind := range q.Refused {
		l.note(requestKind(kind), fmt.Errorf("%w, as Config.Quirks say", errors.ErrUnsupported))
	}
	return l
}
