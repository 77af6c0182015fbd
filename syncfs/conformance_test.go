package syncfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// realDir is a local directory as programs pass it.
func realDir(t testing.TB) afero.Fs { return afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()) }

func memory(testing.TB) afero.Fs { return afero.NewMemMapFs() }

func newFs(t testing.TB, remote, local afero.Fs, opts *Options) *Fs {
	t.Helper()
	s, err := New(remote, local, trying(opts))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// TestConformance goes through the suite with all that a case makes queued, with it pushed before each call, and with
// it pushed and no longer here.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name   string
		before func(require.TestingT, *Fs)
		pushes bool

		first, step int // of the matrix
	}{
		{"queued", func(require.TestingT, *Fs) {}, false, 0, 3},
		{"pushed", pushClosed, true, 2, 3},
		{"cold", func(t require.TestingT, s *Fs) { pushClosed(t, s); evictAll(t, s) }, true, 1, 3},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			remotetest.Matrix(t, way.first, way.step, func(t *testing.T, r remotetest.Remote, l remotetest.Local) {
				limits := r.Limits
				if !way.pushes {
					limits = limits.Only(aferotest.Links, aferotest.LongNames)
				}
				aferotest.Run(t, aferotest.Subject{
					New: func(t testing.TB) afero.Fs {
						remote, _ := r.New(t)
						s := newFs(t, remote, l.New(t), nil)
						return remotetest.Before(s, func() { way.before(t, s) })
					},
					Incapable: limits,
				})
			})
		})
	}
}

// Random sequences of calls, with pushes in between: every answer is what package os says, and after a push the remote
// is what package os has.
func TestDifferential(t *testing.T) {
	t.Parallel()
	remotetest.Matrix(t, 0, 1, func(t *testing.T, r remotetest.Remote, l remotetest.Local) {
		observers := map[afero.Fs]afero.Fs{}
		aferotest.Differential(t, aferotest.Subject{
			New: func(t testing.TB) afero.Fs {
				remote, observer := r.New(t)
				s := newFs(t, remote, l.New(t), nil)
				observers[s] = observer
				return s
			},
			Incapable: r.Limits.And(r.Loops),
			Sometimes: func(t rapid.TB, subject, oracle afero.Fs) {
				s := subject.(*Fs)
				_, err := s.Push(context.Background())
				require.NoError(t, err)
				require.Empty(t, s.Pending())
				r.Limits.RequireSame(t, oracle, observers[s])
				if rapid.Bool().Draw(t.(*rapid.T), "cold") {
					evictAll(t, s)
				}
			},
		})
	})
}

// TestMemMapFsInTheProgramsSpelling has a program's test look into a MemMapFs, to which "a" and "/a" are two files,
// with names as it uses them everywhere.
func TestMemMapFsInTheProgramsSpelling(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"", "/"} {
		for _, seeded := range []bool{false, true} {
			t.Run(fmt.Sprintf("root %q, seeded %v", root, seeded), func(t *testing.T) {
				t.Parallel()
				remote, local := memory(t), memory(t)
				if seeded {
					require.NoError(t, afero.WriteFile(remote, root+"remote.txt", []byte("theirs"), 0o644))
					require.NoError(t, afero.WriteFile(remote, root+"d/remote.txt", []byte("theirs"), 0o644))
				}
				s := newFs(t, remote, local, nil)
				holds := func(fsys afero.Fs, name, want string) {
					t.Helper()
					content, err := afero.ReadFile(fsys, root+name)
					require.NoError(t, err)
					require.Equal(t, want, string(content))
				}
				for _, name := range []string{"remote.txt", "d/remote.txt"} {
					if seeded {
						holds(s, name, "theirs")
						holds(local, name, "theirs")
					} else {
						_, err := s.Open(root + name)
						require.ErrorIs(t, err, fs.ErrNotExist)
					}
				}
				require.NoError(t, s.MkdirAll(root+"d/e", 0o755))
				for _, name := range []string{"remote.txt", "new.txt", "d/e/new.txt"} {
					require.NoError(t, afero.WriteFile(s, root+name, []byte("ours"), 0o644))
				}
				require.NoError(t, afero.WriteFile(local, root+"added.txt", []byte("added"), 0o644))
				require.NoError(t, s.Add(root+"added.txt"))
				_, err := afero.ReadDir(s, "/")
				require.NoError(t, err)
				require.NoError(t, s.Rename(root+"d/e/new.txt", root+"moved.txt"))
				_, err = s.Push(t.Context())
				require.NoError(t, err)
				for name, want := range map[string]string{
					"remote.txt": "ours", "new.txt": "ours", "moved.txt": "ours", "added.txt": "added",
				} {
					holds(remote, name, want)
					holds(local, name, want)
				}
				infos, err := afero.ReadDir(remote, root+"d/e")
				require.NoError(t, err)
				require.Empty(t, infos)
				require.NoError(t, s.RemoveAll(root+"d"))
				_, err = s.Push(t.Context())
				require.NoError(t, err)
				_, err = remote.Stat(root + "d")
				require.ErrorIs(t, err, fs.ErrNotExist)
			})
		}
	}
}

// pushClosed pushes all but the files that are open for writing, and what has to wait for one.
func pushClosed(t require.TestingT, s *Fs) {
	_, err := s.Push(context.Background())
	if errors.Is(err, ErrBusy) {
		return
	}
	require.NoError(t, err)
}

// evictAll evicts every copy that is not open.
func evictAll(t require.TestingT, s *Fs) {
	var names []string
	require.NoError(t, s.m.Do(func(v *mirror.View) error {
		names = nil
		v.Tree().Nodes(func(n *tree.Node) {
			if n.Content() == tree.Owned && n.InView() {
				names = append(names, n.Path())
			}
		})
		return nil
	}))
	for _, name := range names {
		switch err := s.m.Evict(name); { // another goroutine may have it open, written or removed
		case errors.Is(err, ErrBusy), errors.Is(err, cachefs.ErrChanged), errors.Is(err, fs.ErrNotExist):
		default:
			require.NoError(t, err)
		}
	}
}
