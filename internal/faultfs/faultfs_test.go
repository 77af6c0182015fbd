package faultfs_test

import (
	"io"
	"io/fs"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConformance shows that a Plan without faults changes nothing.
func TestConformance(t *testing.T) {
	t.Parallel()
	plan := new(faultfs.Plan)
	aferotest.Run(t, aferotest.Subject{
		New: func(t testing.TB) afero.Fs { return faultfs.New(aferotest.OS(t.TempDir()), plan) },
		Incapable: map[aferotest.Capability]string{
			aferotest.FullFiles: "each operation is to be counted",
		},
	})
	require.Empty(t, plan.OpenFiles())
	require.Positive(t, plan.Total())
}

func TestEveryCallIsOneOperation(t *testing.T) {
	t.Parallel()
	eachCall(t, func(t *testing.T, w *world, kind faultfs.Kind, call func() error) {
		before, total := w.plan.Count(kind), w.plan.Total()
		require.NoError(t, call())
		closed := 0
		if kind == faultfs.Open {
			closed = 1 // the call closes what it opened
		}
		require.Equal(t, before+1, w.plan.Count(kind))
		require.Equal(t, total+1+closed, w.plan.Total())
	})
}

func TestOnce(t *testing.T) {
	t.Parallel()
	eachCall(t, func(t *testing.T, w *world, kind faultfs.Kind, call func() error) {
		before, reached := content(t, w.under), w.below.Total()
		w.plan.Once(w.plan.Total(), errLost)
		err := call()
		require.ErrorIs(t, err, errLost)
		requirePaths(t, kind, err)
		require.Empty(t, aferotest.Diff(before, content(t, w.under)), "it had an effect")
		if kind != faultfs.Close {
			require.Equal(t, reached, w.below.Total(), "it reached the base")
			require.NoError(t, call(), "the next one passes")
		}
		fired := w.plan.Fired()
		require.Len(t, fired, 1)
		require.Equal(t, kind, fired[0].Kind)
		require.Empty(t, w.plan.Pending())
	})
}

func TestWholeEffect(t *testing.T) {
	t.Parallel()
	eachCall(t, func(t *testing.T, w *world, kind faultfs.Kind, call func() error) {
		reached := w.below.Count(kind)
		w.plan.Inject(faultfs.Fault{Index: w.plan.Total(), Err: errLost, Effect: faultfs.Whole})
		err := call()
		require.ErrorIs(t, err, errLost)
		requirePaths(t, kind, err)
		require.Equal(t, reached+1, w.below.Count(kind))
		tree := content(t, w.under)
		switch kind {
		case faultfs.Mkdir, faultfs.Symlink, faultfs.Rename:
			require.Contains(t, tree, "new")
		case faultfs.Remove, faultfs.RemoveAll:
			require.NotContains(t, tree, "f")
		case faultfs.Write, faultfs.WriteAt:
			require.Equal(t, "NEW ent", tree["f"].Content)
		case faultfs.Truncate:
			require.Equal(t, "c", tree["f"].Content)
		}
	})
}

func TestSticky(t *testing.T) {
	t.Parallel()
	eachCall(t, func(t *testing.T, w *world, kind faultfs.Kind, call func() error) {
		w.plan.Sticky(w.plan.Total(), errLost)
		for range 3 {
			require.ErrorIs(t, call(), errLost)
		}
		require.Len(t, w.plan.Fired(), 1, "the others are its consequence")
		if kind != faultfs.Close {
			w.plan.Heal()
			require.NoError(t, call())
		}
	})
}

func TestOfflineNothingHasAnEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Offline(errLost)
	w.plan.Inject(faultfs.Fault{Index: w.plan.Total(), Effect: faultfs.Whole})
	require.ErrorIs(t, w.Remove("f"), errLost)
	require.Contains(t, content(t, w.under), "f")
	require.Len(t, w.plan.Fired(), 1, "the fault met its operation")
}

func TestOffline(t *testing.T) {
	t.Parallel()
	eachCall(t, func(t *testing.T, w *world, kind faultfs.Kind, call func() error) {
		before, total := content(t, w.under), w.plan.Total()
		w.plan.Offline(errLost)
		require.ErrorIs(t, call(), errLost)
		require.Equal(t, total+1, w.plan.Total(), "it is counted")
		require.Empty(t, w.plan.Fired())
		require.Empty(t, aferotest.Diff(before, content(t, w.under)))
		w.plan.Offline(nil)
		if kind != faultfs.Close {
			require.NoError(t, call())
		}
	})
}

// requirePaths checks that the error is what an Fs returns.
func requirePaths(t *testing.T, kind faultfs.Kind, err error) {
	switch kind {
	case faultfs.Rename, faultfs.Symlink:
		var le *os.LinkError
		require.ErrorAs(t, err, &le)
		require.Equal(t, "f", le.Old)
		require.Equal(t, "new", le.New)
	default:
		var pe *fs.PathError
		require.ErrorAs(t, err, &pe)
		require.NotEmpty(t, pe.Path)
	}
}

func TestPartOfAWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bytes, written int
	}{{0, 3}, {1, 1}, {5, 5}, {6, 6}, {99, 6}} {
		w := newWorld(t)
		w.plan.Inject(faultfs.Fault{Index: w.plan.Total(), Effect: faultfs.Part, Bytes: c.bytes})
		n, err := w.f.WriteAt([]byte("ABCDEF"), 0)
		require.ErrorIs(t, err, faultfs.ErrInjected)
		require.Equal(t, c.written, n)
		require.EqualValues(t, c.written, w.plan.BytesWritten())
		require.Equal(t, "ABCDEF"[:c.written]+"content"[c.written:], content(t, w.under)["f"].Content)
	}
}

func TestPartOfAnythingElseIsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Inject(faultfs.Fault{Index: w.plan.Total(), Effect: faultfs.Part})
	require.Error(t, w.Remove("f"))
	require.Contains(t, content(t, w.under), "f")
}

func TestBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := io.ReadAll(w.f)
	require.NoError(t, err)
	require.EqualValues(t, len("content"), w.plan.BytesRead())
	_, err = w.f.Write([]byte("abc"))
	require.NoError(t, err)
	_, err = w.f.WriteAt([]byte("de"), 0)
	require.NoError(t, err)
	require.EqualValues(t, 5, w.plan.BytesWritten())
}

func TestInjectedEndOfFileIsBare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Once(w.plan.Total(), io.EOF)
	_, err := w.f.Read(make([]byte, 4))
	require.Equal(t, io.EOF, err)
}
