package syncfs

import (
	"context"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// realDir is a local directory as programs pass it.
func realDir(t testing.TB) afero.Fs { return afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()) }

func memory(testing.TB) afero.Fs { return afero.NewMemMapFs() }

func newFs(t testing.TB, remote, local afero.Fs, opts *Options) *Fs {
	t.Helper()
	s, err := New(remote, local, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestConformance(t *testing.T) {
	for _, l := range []struct {
		name  string
		local func(testing.TB) afero.Fs
	}{
		{"local directory", realDir},
		{"local memory", memory},
	} {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			aferotest.Run(t, aferotest.Subject{New: func(t testing.TB) afero.Fs {
				return newFs(t, aferotest.OS(t.TempDir()), l.local(t), nil)
			}})
		})
	}
}

// Random sequences of calls on files made through the Fs, cold and warm, with pushes in between: every answer is what
// package os says, and after a push the remote is what package os has.
func TestDifferential(t *testing.T) {
	for _, l := range []struct {
		name  string
		local func(testing.TB) afero.Fs
	}{
		{"local directory", realDir},
		{"local memory", memory},
	} {
		t.Run(l.name, func(t *testing.T) {
			remotes := map[afero.Fs]afero.Fs{}
			aferotest.Differential(t, aferotest.Subject{
				New: func(t testing.TB) afero.Fs {
					remote := aferotest.OS(t.TempDir())
					s := newFs(t, remote, l.local(t), nil)
					remotes[s] = remote
					return s
				},
				Sometimes: func(t rapid.TB, subject, oracle afero.Fs) {
					s := subject.(*Fs)
					_, err := s.Push(context.Background())
					require.NoError(t, err)
					require.Empty(t, s.Pending())
					want, err := aferotest.Tree(oracle)
					require.NoError(t, err)
					got, err := aferotest.Tree(remotes[s])
					require.NoError(t, err)
					require.Empty(t, aferotest.Diff(want, got), "the remote after a push")
					if rapid.Bool().Draw(t.(*rapid.T), "cold") {
						for name, e := range got {
							if e.Type == 0 {
								require.NoError(t, s.m.Evict(name))
							}
						}
					}
				},
			})
		})
	}
}
