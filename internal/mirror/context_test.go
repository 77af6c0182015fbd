package mirror

import (
	"context"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A remote that answers only once it is released, and knows no contexts.
func TestCallsOnARemoteWithoutContextsEndWithTheContext(t *testing.T) {
	called, release, plan := make(chan struct{}, 100), make(chan struct{}), new(faultfs.Plan)
	plan.Before(func(faultfs.Op) error {
		called <- struct{}{}
		<-release
		return nil
	})
	base := afero.NewMemMapFs()
	require.NoError(t, afero.WriteFile(base, "/a", []byte("a"), 0o644))
	m, err := Open(faultfs.New(base, plan), afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), Options{})
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
			<-called
			cancel()
			require.ErrorIs(t, <-done, context.Canceled)
		})
	}
	require.NoError(t, m.Close())
	close(release)
}
