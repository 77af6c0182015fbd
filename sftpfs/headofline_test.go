package sftpfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

const blockedIdle = 40 * time.Second

// A blocking server works on one request of a channel at a time. blocks tells on which it does so until the test ends.
type blocking struct {
	blocks   func(kind byte, path string) bool
	channels int           // that it allows on a connection; 0: any number
	takes    time.Duration // to open one

	let chan struct{}
	wg  sync.WaitGroup
}

func (b *blocking) connect(_ context.Context, opened func(*connection)) (*session, error) {
	here, there := net.Pipe()
	c := newConnection("blocking:22")
	c.conn = &liveConn{Conn: here}
	c.run(func() { <-c.lost; there.Close() })
	var received atomic.Uint64
	c.run(func() {
		c.keepAlive(blockedIdle, pulse{
			received: received.Load,
			probe:    func() { time.Sleep(time.Millisecond); received.Add(1) },
			ask:      func(s *session) { _, _ = s.client.RealPath(".") },
			look:     func() {},
		})
	})
	return b.session(c)
}

func (b *blocking) extend(ctx context.Context, c *connection) (*session, error) {
	if !sleep(ctx, b.takes) {
		return nil, ctx.Err()
	}
	if b.channels > 0 && len(c.live()) >= b.channels {
		return nil, errors.New("no more")
	}
	return b.session(c)
}

func (b *blocking) session(c *connection) (*session, error) {
	here, there := net.Pipe()
	h := &hostile{answer: func(_ *hostile, r wiretest.Request) []byte {
		if p := r; b.blocks(r.Kind, strings.TrimPrefix(p.Text(), hostileRoot+"/")) {
			<-b.let
		}
		return nil
	}}
	queue := &queue{Conn: there, requests: make(chan []byte, 1<<16)}
	b.wg.Go(queue.fill)
	b.wg.Go(func() { h.serve(queue) })
	w := wire.New(here, wire.MaxListing)
	client, err := sftp.NewClientPipe(w, w)
	if err != nil {
		return nil, err
	}
	s := newSession(client, c, newLearnt())
	s.wire, s.root = w, hostileRoot
	c.run(s.watch)
	c.run(func() { <-c.lost; w.Close() })
	return s, nil
}

// A queue takes what is sent while the server does not look.
type queue struct {
	net.Conn
	requests chan []byte
	first    []byte
}

func (q *queue) fill() {
	defer close(q.requests)
	for {
		b := make([]byte, 4096)
		n, err := q.Conn.Read(b)
		if err != nil {
			return
		}
		q.requests <- b[:n]
	}
}

func (q *queue) Read(b []byte) (int, error) {
	for len(q.first) == 0 {
		var ok bool
		if q.first, ok = <-q.requests; !ok {
			return 0, io.EOF
		}
	}
	n := copy(b, q.first)
	q.first = q.first[n:]
	return n, nil
}

// start returns what the calls go through.
func (b *blocking) start(t *testing.T, maxChannels int) (*Fs, *manager) {
	t.Helper()
	b.let = make(chan struct{})
	m := newManager(b, newLearnt(), 1, maxChannels)
	t.Cleanup(func() { close(b.let); m.close(); b.wg.Wait() })
	return newFs(m, m.learnt), m
}

// Where everything blocks, no call goes from one channel to the next for ever.
func TestEverythingBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &blocking{blocks: func(kind byte, _ string) bool { return kind == wiretest.Stat }}
		fsys, _ := b.start(t, 10)
		var wg sync.WaitGroup
		began := time.Now()
		var longest atomic.Int64
		for i := range 200 {
			wg.Go(func() {
				_, err := fsys.Stat(strings.Repeat("f", i+1))
				require.ErrorIs(t, err, ErrUnavailable)
				longest.Store(max(longest.Load(), int64(time.Since(began))))
			})
		}
		wg.Wait()
		require.LessOrEqual(t, time.Duration(longest.Load()), 4*blockedIdle)
	})
}

// Who was behind a request that blocks the only channel is not put behind it again.
func TestBlockedOnTheOnlyChannel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &blocking{blocks: func(_ byte, path string) bool { return path == "bad" }}
		fsys, _ := b.start(t, 1)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := fsys.Stat("bad")
			require.ErrorIs(t, err, ErrUnavailable)
		})
		time.Sleep(time.Second)
		began := time.Now()
		_, err := call(fsys, harmless, func(r remote) (bool, error) {
			_, err := r.stat("/good")
			if err != nil {
				time.Sleep(time.Millisecond) // the other call is faster
			}
			return true, err
		}, nil)
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(began), blockedIdle+time.Second)
		wg.Wait()
	})
}

// A call that has asked nothing when its session stalls is not the one that blocks it.
func TestCallThatHasAskedNothingLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &blocking{blocks: func(kind byte, _ string) bool { return kind == wiretest.Rename }}
		fsys, _ := b.start(t, 10)
		var wg sync.WaitGroup
		wg.Go(func() { require.ErrorIs(t, fsys.Rename("f", "g"), ErrUnavailable) })
		began := time.Now()
		_, err := call(fsys, harmless, func(r remote) (bool, error) {
			time.Sleep(blockedIdle)
			_, err := r.stat("/f")
			return true, err
		}, nil)
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(began), 2*blockedIdle)
		fsys.Close()
		wg.Wait()
	})
}

// What a call says that waits for a channel of its own is what it would have said otherwise.
func TestCallEndsWhileItWaitsForAChannelOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Fs, context.CancelFunc) error{
		"context": func(_ *Fs, cancel context.CancelFunc) error { cancel(); return context.Canceled },
		"Close":   func(f *Fs, _ context.CancelFunc) error { f.Close(); return fs.ErrClosed },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := &blocking{blocks: func(_ byte, path string) bool { return path == "bad" }, takes: time.Hour}
			fsys, _ := b.start(t, 10)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			errs := make(chan error)
			go func() {
				_, err := fsys.WithContext(ctx).Stat("bad")
				errs <- err
			}()
			time.Sleep(2 * blockedIdle)
			want := end(fsys, cancel)
			require.ErrorIs(t, <-errs, want, name)
		})
	}
}

// A read that blocks its channel, and then another one, does not block both for those who read other files there.
func TestReadThatBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &blocking{blocks: func(kind byte, path string) bool { return kind == wiretest.Read && strings.HasSuffix(path, "bad") }}
		fsys, _ := b.start(t, 10)
		open := func(name string) *File {
			f, err := fsys.Open(name)
			require.NoError(t, err)
			_, err = f.Stat() // so that it is known which version is being read
			require.NoError(t, err)
			return f.(*File)
		}
		bad := open("bad")
		good := []*File{open("a"), open("b"), open("c")}
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := bad.ReadAt(make([]byte, 7), 0)
			require.ErrorIs(t, err, ErrUnavailable)
		})
		time.Sleep(time.Second)
		for _, f := range good {
			wg.Go(func() {
				_, err := f.ReadAt(make([]byte, 7), 0)
				require.NoError(t, err)
			})
		}
		wg.Wait()
	})
}

// A session that was stalled is used again when it answers, also if it is never idle.
func TestStalledSessionRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pause := make(chan struct{})
		b := &blocking{blocks: func(_ byte, path string) bool {
			if path == "slow" {
				<-pause
			}
			return false
		}}
		fsys, m := b.start(t, 1)
		slow := make(chan error)
		go func() {
			_, err := fsys.Stat("slow")
			slow <- err
		}()
		time.Sleep(3*blockedIdle/4 + time.Second)
		s := get(t, m)
		require.True(t, s.isStalled())
		require.Nil(t, m.another(t.Context(), new(taken)))
		close(pause)
		require.NoError(t, <-slow)
		time.Sleep(blockedIdle / 2)
		require.False(t, s.isStalled())
		require.Same(t, s, m.another(t.Context(), new(taken)))
		s.release()
		s.release()
	})
}

// A call whose request is sent right behind the one that blocks leaves, too.
func TestCallAtTheTimeOfTheOneThatBlocks(t *testing.T) {
	t.Parallel()
	for name, blocker := range map[string]struct {
		kind byte
		do   func(fsys *Fs, f *File) error
	}{
		"rename": {wiretest.Rename, func(fsys *Fs, _ *File) error { return fsys.Rename("f", "g") }},
		"close":  {wiretest.Close, func(_ *Fs, f *File) error { return f.Close() }},
		"read":   {wiretest.Read, func(_ *Fs, f *File) error { _, err := f.ReadAt(make([]byte, 1), 0); return err }},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := &blocking{blocks: func(kind byte, _ string) bool { return kind == blocker.kind }}
			fsys, _ := b.start(t, 10)
			f, err := fsys.OpenFile("f", os.O_RDWR, 0)
			require.NoError(t, err)
			var wg sync.WaitGroup
			wg.Go(func() {
				time.Sleep(time.Second)
				require.Error(t, blocker.do(fsys, f.(*File)), name)
			})
			began := time.Now()
			_, err = call(fsys, harmless, func(r remote) (bool, error) {
				r.asks(wire.HashPath(r.on("/other")))
				time.Sleep(2 * time.Second)
				_, err := r.client.Stat(r.on("/other"))
				return true, err
			}, nil)
			require.NoError(t, err, name)
			require.LessOrEqual(t, time.Since(began), blockedIdle, name)
			fsys.Close()
			wg.Wait()
		})
	}
}

// A call whose context ends while it leaves a session says so, and not how it has left.
func TestDeadlineWhileACallLeaves(t *testing.T) {
	t.Parallel()
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			b := &blocking{blocks: func(_ byte, path string) bool { return path == "bad" }}
			fsys, _ := b.start(t, 10)
			ctx, cancel := context.WithTimeout(t.Context(), 3*blockedIdle/4) // when the session stalls
			defer cancel()
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = fsys.Stat("bad") })
			time.Sleep(time.Second)
			for range 20 {
				wg.Go(func() {
					if _, err := fsys.WithContext(ctx).Stat("f"); err != nil {
						require.ErrorIs(t, err, context.DeadlineExceeded)
					}
				})
			}
			wg.Wait()
		})
	}
}
