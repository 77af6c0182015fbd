package cachefs

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// realDir is a local directory as programs pass it.
func realDir(t testing.TB) afero.Fs { return afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()) }

func newFs(t testing.TB, remote, local afero.Fs, opts *Options) *Fs {
	t.Helper()
	c, err := New(remote, local, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func TestConformance(t *testing.T) {
	for _, l := range []struct {
		name  string
		local func(testing.TB) afero.Fs
	}{
		{"local directory", realDir},
		{"local memory", func(testing.TB) afero.Fs { return afero.NewMemMapFs() }},
	} {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			aferotest.Run(t, aferotest.Subject{New: func(t testing.TB) afero.Fs {
				return newFs(t, aferotest.OS(t.TempDir()), l.local(t), &Options{Revalidate: Always})
			}})
		})
	}
}
