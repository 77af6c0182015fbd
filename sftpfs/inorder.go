package sftpfs

import (
	"errors"
	"fmt"
)

// Where the server carries requests out in the order in which it gets them, what follows from an answer that is known in
// advance need not wait for it. OpenSSH does so: its server is one loop. Others let requests overtake each other, which
// the drafts allow (draft-ietf-secsh-filexfer-02, section 6) but for reads and writes of the same bytes.
//
// What is sent in this way is a short cut only. Whatever the server answers but the one thing that was hoped for, the
// caller goes the long way, and finds out there what is the matter.

// errNoShortCut says that the long way has to be gone.
var errNoShortCut = fmt.Errorf("%w as a short cut", errors.ErrUnsupported)

// inOrder tells whether the server is taken to carry requests out in their order: OpenSSH's is. An sshd may run another one
// as its subsystem; those in Go, which work on many requests at a time, do not offer to sync. As long as nobody knows what
// it offers, it is OpenSSH's: of the first short cut on a channel, it shows in the answers if that was wrong.
func (s *session) inOrder() bool {
	if !s.openSSH || s.wire.exhausted() {
		return false
	}
	return !s.wire.hasHeard() || s.hasFiles()
}

// exchange sends requests together. It fails only if the channel ends, or with errUnforeseen.
func (r remote) exchange(requests ...message) ([]reply, error) {
	r.asks(requests[0].path())
	replies, err := r.wire.exchange(requests...)
	if err != nil && !errors.Is(err, errUnforeseen) {
		err = r.unavailable(err)
	}
	return replies, err
}

// use opens p by a request of that kind, of which rest follows the path, sends the requests of which some are about what
// it has opened, and closes that. It returns the replies to those requests. All takes one round trip where it is known
// before which handle the server gives out, else two.
func (r remote) use(kind byte, p string, rest body, requests ...message) ([]reply, error) {
	if err := r.mayBeShort(); err != nil {
		return nil, err
	}
	open := r.opening(kind, p, rest)
	replies, err := r.exchange(append(append([]message{open}, requests...), closing)...)
	if errors.Is(err, errUnforeseen) {
		h, err := r.openShort(open)
		if err != nil {
			return nil, err
		}
		return h.last(requests...)
	}
	if err != nil {
		return nil, err
	}
	if _, err := replies[0].handle(); err != nil {
		return nil, err
	}
	return replies[1 : len(replies)-1], nil
}

// mayBeShort returns why there can be no short cut, if so.
func (r remote) mayBeShort() error {
	if !r.inOrder() {
		return errNoShortCut
	}
	return r.ctx.Err()
}

// opening returns the request that opens p, in which rest follows the path.
func (r remote) opening(kind byte, p string, rest body) message {
	return message{kind: kind, body: append(body{}.string(r.on(p)), rest...)}
}

// closing closes what was opened.
var closing = message{kind: packetClose, ofOpened: true}

// A shortHandle is a file or directory that was opened in a short cut.
type shortHandle struct {
	remote
	handle string
}

func (r remote) openShort(open message) (shortHandle, error) {
	replies, err := r.exchange(open)
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

// last sends the last requests of which some are about the handle, and what closes it, and returns the replies to those.
func (h shortHandle) last(requests ...message) ([]reply, error) {
	sent := make([]message, 0, len(requests)+1)
	for _, m := range append(requests, closing) {
		sent = append(sent, m.about(h.handle))
	}
	replies, err := h.exchange(sent...)
	if err != nil {
		return nil, err
	}
	h.files.Add(-1)
	return replies[:len(requests)], nil
}

// release closes the handle without waiting for that.
func (h shortHandle) release() {
	_ = h.wire.request([]message{closing.about(h.handle)}, func(int, reply) { h.files.Add(-1) })
}
