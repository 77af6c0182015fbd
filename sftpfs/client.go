package sftpfs

import (
	"context"
	"io/fs"
	"sync"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
)

// borrowed is the source behind NewClient. The program owns the client, and closes it.
type borrowed struct {
	client *sftp.Client
	root   string
	learnt *learnt

	mu      sync.Mutex // guards the following
	closed  bool
	current *session // nil until its root is known
}

// get returns the session. If the session has failed, get makes another one over the same client: only the client's
// owner can know whether it still works.
func (b *borrowed) get(ctx context.Context) (*session, error) {
	b.mu.Lock()
	s, closed := b.current, b.closed
	b.mu.Unlock()
	switch {
	case closed:
		return nil, fs.ErrClosed
	case s != nil && !s.isLost():
		return s.begin(), nil
	}
	s, err := abandon.Await(ctx, nil, func() (*session, error) {
		s := newSession(b.client, newConnection("the given client"), b.learnt)
		err := s.resolve(b.root)
		if err != nil { // also if it is an answer, which is not about what the call names
			err = s.unavailable(err)
		}
		return s, err
	}, nil)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fs.ErrClosed
	}
	if b.current == nil || b.current.isLost() {
		b.current = s
	}
	return b.current.begin(), nil
}

// another and alone return nil, because there is only one client.
func (b *borrowed) another(context.Context, *taken) *session { return nil }

func (b *borrowed) alone(context.Context) (*session, error) { return nil, nil }

func (b *borrowed) close() {
	b.mu.Lock()
	s := b.current
	b.closed, b.current = true, nil
	b.mu.Unlock()
	if s != nil {
		s.fail(fs.ErrClosed)
	}
}
