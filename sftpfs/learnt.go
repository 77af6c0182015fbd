package sftpfs

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A requestKind is a kind of request that a server may not support. Capabilities.Refused shows it.
type requestKind string

// Kinds of requests that are not sent again once the server has answered that it does not support them. For other kinds
// that answer is about the names in the request: servers give it for a directory in place of a file, or between two of
// their stores.
const (
	kindSetstatMode     requestKind = "setstat mode"
	kindSetstatOwner    requestKind = "setstat owner"
	kindSetstatTimes    requestKind = "setstat times"
	kindFsetstatMode    requestKind = "fsetstat mode"
	kindNewMode         requestKind = "mode of a new file" // by fsetstat or setstat
	kindFsetstatTimes   requestKind = "fsetstat times"
	kindRename          requestKind = "rename"
	kindPosixRename     requestKind = wire.ExtensionPosixRename
	kindSymlink         requestKind = "symlink"
	kindRelativeSymlink requestKind = "symlink to a relative path" // the server makes the path absolute
	kindReadlink        requestKind = "readlink"
	kindFsync           requestKind = wire.ExtensionFsync
	kindStatVFS         requestKind = wire.ExtensionStatVFS
)

var requestKinds = []requestKind{
	kindSetstatMode, kindSetstatOwner, kindSetstatTimes, kindFsetstatMode, kindNewMode, kindFsetstatTimes,
	kindRename, kindPosixRename, kindSymlink, kindRelativeSymlink, kindReadlink, kindFsync, kindStatVFS,
}

// learnt is what the Fs learns about a server while using it. All sessions share it, and it outlives them.
type learnt struct {
	openSSH       atomic.Bool // it is OpenSSH's own server, see isOpenSSH
	refusesFstat  atomic.Bool // but not STAT of the name
	fstatOfHandle bool        // see Quirks
	locks         atomic.Bool // STAT is refused, too, while the file is open

	files    *openFiles
	channels channelsLearnt
	requests requestLimit

	mu       sync.Mutex   // guards the following
	replaces bool         // a plain rename has replaced a file
	links    SymlinkOrder // the order of the paths of a symbolic link; 0: unknown
	// answers are the first answers that show whether the server supports a kind of request. Nil: it does. A later answer
	// to the contrary is about the names in the request.
	answers map[requestKind]error
}

func newLearnt() *learnt { return &learnt{files: newOpenFiles()} }

func (l *learnt) linkOrder() SymlinkOrder {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.links
}

func (l *learnt) noteLinkOrder(order SymlinkOrder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.links = order
}

func (l *learnt) hasReplaced() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.replaces
}

func (l *learnt) noteReplaced() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replaces = true
}

// refusal returns the error with which the server has refused this kind of request, nil if it has not.
func (l *learnt) refusal(kind requestKind) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers[kind]
}

// isKnown reports whether the server has shown that it supports this kind of request, or that it does not.
func (l *learnt) isKnown(kind requestKind) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.answers[kind]
	return known
}

// note records whether the server supports this kind of request: err is nil, or the error with which it has refused.
func (l *learnt) note(kind requestKind, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.answers[kind]; known {
		return
	}
	if l.answers == nil {
		l.answers = make(map[requestKind]error)
	}
	l.answers[kind] = err
}

// noteOfNew is note for a request about a new file of its own: there, a refused permission is not about the file.
func (l *learnt) noteOfNew(kind requestKind, err error) {
	if err == nil || forbidden(err) {
		l.note(kind, err)
	}
}

// refusals returns the kinds of requests that the server refuses, sorted.
func (l *learnt) refusals() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kinds []string
	for kind, err := range l.answers {
		if err != nil {
			kinds = append(kinds, string(kind))
		}
	}
	slices.Sort(kinds)
	return kinds
}

// unlessRefused runs send, which sends a request of this kind. If the server does not support that, unlessRefused does
// not run send the next time, and returns the same error.
func (l *learnt) unlessRefused(kind requestKind, send func() error) error {
	if err := l.refusal(kind); err != nil {
		return err
	}
	err := send()
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		l.note(kind, err)
	}
	return err
}
