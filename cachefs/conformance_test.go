package cachefs

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// snapshots is what a cache leaves out by design.
var snapshots = remotetest.Limits{
	aferotest.LiveHandles: "a handle that reads a copy goes on reading that version",
}

func newFs(t testing.TB, remote, local afero.Fs, opts *Options) *Fs {
	t.Helper()
	c, err := New(remote, local, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// TestConformance goes through the suite with nothing in the local directory but what a case's calls put there, with
// all copies evicted before each call, and with all files fetched before each call.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name   string
		before func(require.TestingT, *Fs)

		first, step int // of the matrix
	}{
		{"as it comes", func(require.TestingT, *Fs) {}, 0, 3},
		{"cold", evictAll, 1, 3},
		{"warm", pullAll, 2, 3},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			remotetest.Matrix(t, way.first, way.step, func(t *testing.T, r remotetest.Remote, l remotetest.Local) {
				aferotest.Run(t, aferotest.Subject{
					New: func(t testing.TB) afero.Fs {
						remote, _ := r.New(t)
						c := newFs(t, remote, l.New(t), &Options{Revalidate: Always})
						return remotetest.Before(c, func() { way.before(t, c) })
					},
					Incapable: r.Limits.And(snapshots),
				})
			})
		})
	}
}

// Random sequences of calls, with what is local changed in between: every answer is what package os says, and the
// remote is at once what package os has.
func TestDifferential(t *testing.T) {
	t.Parallel()
	remotetest.Matrix(t, 0, 1, func(t *testing.T, r remotetest.Remote, l remotetest.Local) {
		observers := map[afero.Fs]afero.Fs{}
		aferotest.Differential(t, aferotest.Subject{
			New: func(t testing.TB) afero.Fs {
				remote, observer := r.New(t)
				c := newFs(t, remote, l.New(t), &Options{Revalidate: Always})
				observers[c] = observer
				return c
			},
			Incapable: r.Limits.And(snapshots).And(r.Loops),
			Sometimes: func(t rapid.TB, subject, oracle afero.Fs) {
				c := subject.(*Fs)
				r.Limits.RequireSame(t, oracle, observers[c])
				if rapid.Bool().Draw(t.(*rapid.T), "cold") {
					evictAll(t, c)
				} else {
					pullAll(t, c)
				}
			},
		})
	})
}

// evictAll evicts every copy that is not open.
func evictAll(t require.TestingT, c *Fs) {
	var names []string
	require.NoError(t, c.m.Do(func(v *mirror.View) error {
		names = nil
		v.Tree().Nodes(func(n *tree.Node) {
			if n.Content() == tree.Owned && n.InView() {
				names = append(names, n.Path())
			}
		})
		return nil
	}))
	for _, name := range names {
		if err := c.m.Evict(name); !errors.Is(err, ErrBusy) && !errors.Is(err, fs.ErrNotExist) { // by another goroutine
			require.NoError(t, err)
		}
	}
}

// pullAll fetches every file, but those that are being written or removed by another goroutine.
func pullAll(t require.TestingT, c *Fs) {
	_, err := c.Pull(context.Background(), "/")
	if err == nil {
		return
	}
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		if !errors.Is(err, ErrBusy) && !errors.Is(err, ErrChanged) && !errors.Is(err, fs.ErrNotExist) {
			require.NoError(t, err)
		}
	}
}
