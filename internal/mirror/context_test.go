package mirror

import (
	"context"
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// stuck is a remote that answers only once it is released, and knows no contexts.
type stuck struct {
	afero.Fs
	called  chan struct{} // one value for each call that came in
	release chan struct{}
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
	return s.Fs.Open(name)
}

func TestCallsOnARemoteWithoutContextsEndWithTheContext(t *testing.T) {
	remote := &stuck{Fs: afero.NewMemMapFs(), called: make(chan struct{}, 100), release: make(chan struct{})}
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
