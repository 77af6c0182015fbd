package mirror

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
	remote := newStuck()
	require.NoError(t, afero.WriteFile(remote.Fs, "/a", []byte("a"), 0o644))
	m, err := Open(remote, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), Options{})
	require.NoError(t, err)
	for name, call := range map[string]func(*FS) error{
		"stat": func(m *FS) error { _, err := m.Stat("a", true); return err },
		"open": func(m *FS) error { _, err := m.OpenRead("a"); return err },
		"pull": func(m *FS) error { _, err := m.Pull("."); return err },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- call(m.With(ctx)) }()
			<-remote.called
			cancel()
			require.ErrorIs(t, <-done, context.Canceled)
		})
	}
	require.NoError(t, m.Close())
	close(remote.release)
}

func TestWhatIsOpenedTooLateIsClosed(t *testing.T) {
	remote := newStuck()
	require.NoError(t, afero.WriteFile(remote.Fs, "/a", []byte("a"), 0o644))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := abandoning{ctx, remote, new(abandon.Calls)}.Open("/a")
		done <- err
	}()
	<-remote.called
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	close(remote.release)
	require.Eventually(t, func() bool { return remote.closed.Load() == 1 }, 10*time.Second, time.Millisecond)
}

// A temporary file that is made after nobody waits for it any more is removed: who sweeps them has been there.
func TestATemporaryFileThatIsMadeTooLateIsRemoved(t *testing.T) {
	for name, stays := range map[string]bool{"/.syncfs-0123456789abcdef.part": false, "/a": true} {
		remote := newStuck()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := abandoning{ctx, remote, new(abandon.Calls)}.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
			done <- err
		}()
		<-remote.called
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		close(remote.release)
		require.Eventually(t, func() bool {
			_, err := remote.Fs.Stat(name)
			return remote.closed.Load() == 1 && (err == nil) == stays
		}, 10*time.Second, time.Millisecond)
	}
}

func TestAnAbandonedReadLeavesTheBufferAlone(t *testing.T) {
	remote := newStuck()
	require.NoError(t, afero.WriteFile(remote.Fs, "/a", []byte("a"), 0o644))
	ctx, cancel := context.WithCancel(context.Background())
	base, err := remote.Fs.Open("/a")
	require.NoError(t, err)
	f := abandoningFile{ctx, &stuckFile{base, remote}, nil, new(sync.RWMutex)}
	p := []byte("mine")
	done := make(chan error, 1)
	go func() {
		_, err := f.Read(p)
		done <- err
	}()
	<-remote.called
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	close(remote.release)
	require.Equal(t, "mine", string(p))
	_ = f.Close()
	require.Eventually(t, func() bool { return remote.closed.Load() == 1 }, 10*time.Second, time.Millisecond)
}
