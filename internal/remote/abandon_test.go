package remote

import (
	"context"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
)

// stuck is a remote that answers only once it is released, and knows no contexts.
type stuck struct {
	afero.Fs
	called  chan struct{} // one value for each call that came in
	release chan struct{}
	closed  atomic.Int32
}

func newStuck() *stuck {
	return &stuck{Fs: afero.NewMemMapFs(), called: make(chan struct{}, 100), release: make(chan struct{})}
}

func (s *stuck) wait() {
	s.called <- struct{}{}
	<-s.release
}

func (s *stuck) Stat(name string) (fs.FileInfo, error) {
	s.wait()
	return s.Fs.Stat(name)
}

func (s *stuck) Open(name string) (afero.File, error) {
	s.wait()
	f, err := s.Fs.Open(name)
	return &stuckFile{f, s}, err
}

func (s *stuck) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	s.wait()
	f, err := s.Fs.OpenFile(name, flag, perm)
	return &stuckFile{f, s}, err
}

type stuckFile struct {
	afero.File
	s *stuck
}

func (f *stuckFile) Close() error {
	f.s.closed.Add(1)
	return f.File.Close()
}

func (f *stuckFile) Read(p []byte) (int, error) {
	f.s.wait()
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestCallsOnARemoteWithoutContextsEndWithTheContext(t *testing.T) {
	base := newStuck()
	require.NoError(t, afero.WriteFile(base.Fs, "/a", []byte("a"), 0o644))
	r := New(context.Background(), base)
	for name, call := range map[string]func(*Remote) error{
		"ask":    func(r *Remote) error { return r.Ask("a").Err },
		"follow": func(r *Remote) error { return r.AskFollowing("a").Err },
		"list":   func(r *Remote) error { return r.List(".").Err },
		"names":  func(r *Remote) error { _, _, err := r.AskNames("."); return err },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- call(r.Bind(ctx)) }()
			<-base.called
			cancel()
			require.ErrorIs(t, <-done, context.Canceled)
		})
	}
	close(base.release)
}

func TestWhatIsOpenedTooLateIsClosed(t *testing.T) {
	base := newStuck()
	require.NoError(t, afero.WriteFile(base.Fs, "/a", []byte("a"), 0o644))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := abandoning{ctx, base, new(abandon.Calls)}.Open("/a")
		done <- err
	}()
	<-base.called
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	close(base.release)
	require.Eventually(t, func() bool { return base.closed.Load() == 1 }, 10*time.Second, time.Millisecond)
}

// A temporary file that is made after nobody waits for it any more is removed: who sweeps them has been there.
func TestATemporaryFileThatIsMadeTooLateIsRemoved(t *testing.T) {
	for name, stays := range map[string]bool{"/.syncfs-0123456789abcdef.part": false, "/a": true} {
		base := newStuck()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := abandoning{ctx, base, new(abandon.Calls)}.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
			done <- err
		}()
		<-base.called
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		close(base.release)
		require.Eventually(t, func() bool {
			_, err := base.Fs.Stat(name)
			return base.closed.Load() == 1 && (err == nil) == stays
		}, 10*time.Second, time.Millisecond)
	}
}

func TestAnAbandonedReadLeavesTheBufferAlone(t *testing.T) {
	base := newStuck()
	require.NoError(t, afero.WriteFile(base.Fs, "/a", []byte("a"), 0o644))
	ctx, cancel := context.WithCancel(context.Background())
	opened, err := base.Fs.Open("/a")
	require.NoError(t, err)
	f := abandoningFile{ctx, &stuckFile{opened, base}, nil, new(sync.RWMutex)}
	p := []byte("mine")
	done := make(chan error, 1)
	go func() {
		_, err := f.Read(p)
		done <- err
	}()
	<-base.called
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	close(base.release)
	require.Equal(t, "mine", string(p))
	_ = f.Close()
	require.Eventually(t, func() bool { return base.closed.Load() == 1 }, 10*time.Second, time.Millisecond)
}
