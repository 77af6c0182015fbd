package sftpfs

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// openPatience is how long a call waits for its turn to open a file while the open files are neither closed nor used.
const openPatience = 10 * time.Second

// openFiles are the files that are open on the server, over all sessions. Some servers allow only one or two, per
// connection or per user, and refuse more in the same way as they refuse any file. See refusal for how the limit is
// found out. Once it is known, calls wait for their turn to open a file.
type openFiles struct {
	patience time.Duration
	moved    atomic.Uint64 // packets read and written
	probing  chan struct{} // holds a token while a refusal is examined

	mu      sync.Mutex // guards the following
	open    map[*opened]struct{}
	turns   map[*turn]struct{} // those that are not over
	waiting int                // turns without an answer
	closing int                // files that are being closed
	closed  int                // files that were closed so far
	most    int                // the most files that were surely open together on one session
	limit   int                // 0: unknown
	proven  bool               // a file that was refused could be opened after waiting
	changed chan struct{}      // closed and replaced when a file is closed or a turn ends
}

// A turn is a request to open a file or directory. It is over when it is answered and, after a refusal, examined.
type turn struct {
	peak     int           // the most that may have been open meanwhile; guarded by openFiles.mu
	answered chan struct{} // closed by answer
}

func newOpenFiles() *openFiles {
	return &openFiles{
		patience: openPatience,
		probing:  make(chan struct{}, 1),
		open:     make(map[*opened]struct{}),
		turns:    make(map[*turn]struct{}),
		changed:  make(chan struct{}),
	}
}

// add registers a file that was opened.
func (f *openFiles) add(o *opened) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[o] = struct{}{}
	f.most = max(f.most, int(o.keeps.Add(1)))
	f.reached(len(f.open))
}

// reached records that so many are open. f.mu is held.
func (f *openFiles) reached(n int) {
	for t := range f.turns {
		t.peak = max(t.peak, n)
	}
}

// close runs the request that closes o, and then forgets o.
func (f *openFiles) close(o *opened, request func() error) error {
	f.mu.Lock()
	f.closing++
	o.keeps.Add(-1)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.open, o)
		f.closing--
		f.closed++
		f.wake()
	}()
	return request()
}

// forget forgets the files of a lost session.
func (f *openFiles) forget(s *session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.open, func(o *opened, _ struct{}) bool { return o.session == s })
	f.closed++
	f.wake()
}

// wake wakes the calls that wait for their turn. f.mu is held.
func (f *openFiles) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// limited reports whether the server is known to allow only a few open files.
func (f *openFiles) limited() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.limit > 0
}

// begin waits until one more file may be opened. It fails with ctx's error, or with syscall.EMFILE if the open files are
// neither closed nor used for a while: then the caller itself may keep them open.
func (f *openFiles) begin(ctx context.Context) (*turn, error) {
	for {
		t, changed := f.turn(false)
		if t != nil {
			return t, nil
		}
		moved := f.moved.Load()
		idle := time.NewTimer(f.patience)
		select {
		case <-changed:
		case <-ctx.Done():
			idle.Stop()
			return nil, ctx.Err()
		case <-idle.C:
			if f.moved.Load() == moved {
				return nil, f.exceeded()
			}
		}
		idle.Stop()
	}
}

// turn returns a turn, or a channel to wait on if the limit does not allow one now.
func (f *openFiles) turn(always bool) (*turn, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !always && f.limit > 0 && len(f.open)+f.waiting >= f.limit {
		return nil, f.changed
	}
	t := &turn{len(f.open), make(chan struct{})}
	f.turns[t] = struct{}{}
	f.waiting++
	return t, nil
}

func (f *openFiles) exceeded() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Errorf("%w: the server allows %d, and no open one was closed or used for %v", syscall.EMFILE, f.limit, f.patience)
}

// answer records that the turn is answered. passing says that it has opened something, which is closed by now.
func (f *openFiles) answer(t *turn, passing bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if passing {
		f.reached(len(f.open) + f.waiting) // at most
	}
	f.waiting--
	close(t.answered)
	f.wake()
}

// end ends a turn. helped says that the file could be opened after waiting for the limit.
func (f *openFiles) end(t *turn, helped bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.turns, t)
	f.proven = f.proven || helped
}
