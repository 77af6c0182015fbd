package sftpfs

import (
	"errors"
	"fmt"
	"strings"
)

// Where the server carries requests out in the order in which it gets them, what follows from an answer that is known in
// advance need not wait for it. OpenSSH does so: its server is one loop. Others let requests overtake each other, which
// the drafts allow (draft-ietf-secsh-filexfer-02, section 6) but for reads and writes of the same bytes.
//
// What is sent in this way is a short cut only. Whatever the server answers but the one thing that was hoped for, the
// caller goes the long way, and finds out there what is the matter.

// errNoShortCut says that the long way has to be gone.
var errNoShortCut = fmt.Errorf("%w as a short cut", errors.ErrUnsupported)

// knownInOrder tells whether a server that says this of itself carries requests out in their order: OpenSSH's. An sshd may
// run another one as its subsystem; those in Go, which work on many requests at a time, do not offer to sync.
func knownInOrder(version string, offersFsync bool) bool {
	return strings.HasPrefix(version, "SSH-2.0-OpenSSH") && offersFsync
}

// shortCut tells whether there may be one on the session.
func (s *session) shortCut() bool { return s.inOrder && !s.wire.exhausted() }

// exchange sends requests together. It fails only if the channel ends.
func (r remote) exchange(requests ...message) ([]reply, error) {
	replies, err := r.wire.exchange(requests...)
	if err != nil {
		return nil, r.unavailable(err)
	}
	return replies, nil
}

// A shortHandle is a file or directory that was opened in a short cut.
type shortHandle struct {
	remote
	handle string
}

// openShort opens p by a request of that kind, of which rest follows the path.
func (r remote) openShort(kind byte, p string, rest body) (shortHandle, error) {
	switch {
	case !r.shortCut():
		return shortHandle{}, errNoShortCut
	case r.ctx.Err() != nil:
		return shortHandle{}, r.ctx.Err()
	}
	replies, err := r.exchange(message{kind, append(body{}.string(r.on(p)), rest...)})
	if err != nil {
		return shortHandle{}, err
	}
	h, err := replies[0].handle()
	if err != nil {
		return shortHandle{}, err
	}
	r.files.Add(1)
	return shortHandle{r, h}, nil
}

// message returns one about the handle.
func (h shortHandle) message(kind byte, rest body) message {
	return message{kind, append(body{}.string(h.handle), rest...)}
}

// last sends the last requests about the handle, and what closes it, and returns the replies to those.
func (h shortHandle) last(requests ...message) ([]reply, error) {
	replies, err := h.exchange(append(requests, h.message(packetClose, nil))...)
	if err != nil {
		return nil, err
	}
	h.files.Add(-1)
	return replies[:len(requests)], nil
}

// release closes the handle without waiting for that.
func (h shortHandle) release() {
	_ = h.wire.request([]message{h.message(packetClose, nil)}, func(int, reply) { h.files.Add(-1) })
}
