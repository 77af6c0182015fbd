package remote

import (
	"context"
	"testing"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// A remote without contexts, and its files, go on being what they are when they get one.
func TestConformance(t *testing.T) {
	t.Parallel()
	aferotest.Run(t, aferotest.Subject{
		New: func(t testing.TB) afero.Fs {
			ctx, cancel := context.WithCancel(context.Background())
			t.Cleanup(cancel)
			return New(ctx, aferotest.OS(t.TempDir())).Fs()
		},
		Incapable: map[aferotest.Capability]string{aferotest.FullFiles: "the library uses no more than afero.File"},
	})
}
