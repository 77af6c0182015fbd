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

// inOrder reports whether the server processes requests in order, as OpenSSH's does. Until the server's VERSION packet
// has arrived, it is taken for what it was on an earlier connection. On the first one, inOrder waits for the packet: on
// another server, pipelined requests could do harm. One, for example, removes each file that is closed after it was
// read.
func (s *session) inOrder() bool {
	if !s.openSSH || s.wire.Spent() || s.learnt.requests.limited() {
		return false
	}
	return !s.initialized() && s.learnt.openSSH.Load() || s.isOpenSSH()
}

// seemsInOrder is inOrder for requests that do no harm on another server. Until the VERSION packet has arrived, what the SSH
// server says of itself counts.
func (s *session) seemsInOrder() bool {
	return s.openSSH && !s.initialized() && !s.learnt.requests.limited() || s.inOrder()
}

// canPipeline returns an error if requests cannot be pipelined. inOrder says whether the server processes them in order.
func (r remote) canPipeline(inOrder func() bool) error {
	if !inOrder() {
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
// the replies to requests, and to closing it. All this takes one round trip if the handle can be predicted, otherwise two.
func (r remote) use(open wire.Request, requests ...wire.Request) (replies []wire.Reply, closed wire.Reply, err error) {
	all := append(append([]wire.Request{open}, requests...), wire.CloseHandle())
	replies, err = r.exchange(all...)
	if errors.Is(err, wire.ErrNotPredicted) {
		h, err := r.openHandle(open)
		if err != nil {
			return nil, closed, err
		}
		return h.last(requests...)
	}
	if err != nil {
		return nil, closed, err
	}
	if _, err = replies[0].Handle(); err != nil {
		return nil, closed, err
	}
	last := len(replies) - 1
	return replies[1:last], replies[last], nil
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
// to requests, and to closing it.
func (h pipelinedHandle) last(requests ...wire.Request) (replies []wire.Reply, closed wire.Reply, err error) {
	replies, err = h.exchangeOn(append(slices.Clip(requests), wire.CloseHandle())...)
	if err != nil {
		return nil, closed, err
	}
	h.files.Add(-1)
	return replies[:len(requests)], replies[len(requests)], nil
}

// release closes the handle without waiting for the answer.
func (h pipelinedHandle) release() {
	_ = h.wire.Send(func(int, wire.Reply) { h.files.Add(-1) }, wire.CloseHandle().OnHandle(h.handle))
}
