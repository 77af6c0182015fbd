package sftpfs

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// If the server processes requests in the order in which it receives them, requests that only need an answer known in
// advance are pipelined: they are sent without waiting for that answer. OpenSSH's server is one loop, and so does that.
// Other servers let requests overtake each other, which the drafts allow (draft-ietf-secsh-filexfer-02, section 6)
// except for reads and writes of the same bytes.
//
// Pipelining is a shortcut only. On any other reply than the expected one, the caller falls back to the ordinary
// requests, which find the reason.

// errNotPipelined says that the caller has to send the ordinary requests.
var errNotPipelined = fmt.Errorf("%w as a short cut", errors.ErrUnsupported)

// inOrder reports whether the server is assumed to process requests in order, as OpenSSH's does. An sshd may run
// another server as its subsystem; those written in Go, which work on many requests at a time, do not offer to sync.
// Before the server's VERSION packet has arrived, the server is taken for OpenSSH's: the replies to the first pipelined
// requests on a channel show if that was wrong.
func (s *session) inOrder() bool {
	if !s.openSSH || s.wire.Spent() {
		return false
	}
	return !s.wire.Initialized() || s.hasFiles()
}

// canPipeline returns an error if requests cannot be pipelined.
func (r remote) canPipeline() error {
	if !r.inOrder() {
		return errNotPipelined
	}
	return r.ctx.Err()
}

// exchange pipelines requests. It fails only if the channel ends, or with wire.ErrNotPredicted.
func (r remote) exchange(requests ...wire.Request) ([]wire.Reply, error) {
	r.asks(requests[0].PathHash())
	replies, err := r.wire.Exchange(requests...)
	if err != nil && !errors.Is(err, wire.ErrNotPredicted) {
		err = r.unavailable(err)
	}
	return replies, err
}

// use sends open, which opens something, then requests, some of which are about that, and then closes it. It returns
// the replies to requests. All this takes one round trip if the handle can be predicted, otherwise two.
func (r remote) use(open wire.Request, requests ...wire.Request) ([]wire.Reply, error) {
	if err := r.canPipeline(); err != nil {
		return nil, err
	}
	all := append(append([]wire.Request{open}, requests...), wire.CloseHandle())
	replies, err := r.exchange(all...)
	if errors.Is(err, wire.ErrNotPredicted) {
		h, err := r.openHandle(open)
		if err != nil {
			return nil, err
		}
		return h.last(requests...)
	}
	if err != nil {
		return nil, err
	}
	if _, err := replies[0].Handle(); err != nil {
		return nil, err
	}
	return replies[1 : len(replies)-1], nil
}

// A pipelinedHandle is the handle of a file or directory that only pipelined requests use.
type pipelinedHandle struct {
	remote
	handle string
}

func (r remote) openHandle(open wire.Request) (pipelinedHandle, error) {
	replies, err := r.exchange(open)
	if err != nil {
		return pipelinedHandle{}, err
	}
	h, err := replies[0].Handle()
	if err != nil {
		return pipelinedHandle{}, err
	}
	r.files.Add(1)
	return pipelinedHandle{r, h}, nil
}

// exchangeOn pipelines requests, some of which are about the handle.
func (h pipelinedHandle) exchangeOn(requests ...wire.Request) ([]wire.Reply, error) {
	sent := make([]wire.Request, len(requests))
	for i, r := range requests {
		sent[i] = r.OnHandle(h.handle)
	}
	return h.exchange(sent...)
}

// last pipelines the last requests, some of which are about the handle, and closes the handle. It returns the replies
// to requests.
func (h pipelinedHandle) last(requests ...wire.Request) ([]wire.Reply, error) {
	replies, err := h.exchangeOn(append(slices.Clip(requests), wire.CloseHandle())...)
	if err != nil {
		return nil, err
	}
	h.files.Add(-1)
	return replies[:len(requests)], nil
}

// release closes the handle without waiting for the answer.
func (h pipelinedHandle) release() {
	_ = h.wire.Send(func(int, wire.Reply) { h.files.Add(-1) }, wire.CloseHandle().OnHandle(h.handle))
}
