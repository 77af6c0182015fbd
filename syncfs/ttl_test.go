package syncfs

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// With ListTTL one listing of a directory serves many files that are made in it. What others have made there since is
// not overwritten.
func TestOneListServesManyCreates(t *testing.T) {
	t.Parallel()
	r := newRig(t, &Options{Cache: cachefs.Options{ListTTL: time.Hour}})
	r.serve("d/theirs")
	require.NoError(t, second(afero.ReadDir(r.fs, "d")))
	asked := r.plan.Total()
	for i := range 100 {
		r.write(fmt.Sprint("d/", i))
	}
	require.NoError(t, r.fs.MkdirAll("d/deep/er", 0o755))
	require.Equal(t, asked, r.plan.Total())
	r.serve("d/7:made by another client")
	r.fails(ErrConflict)
	r.queued("put d/7")
	require.NoError(t, r.fs.Discard("d/7"))
	r.reads("d/7", "made by another client")
	require.NoError(t, r.fs.Invalidate("/"))
	r.pushes()
}

// With the default options, too: what was seen may be seconds old, but is what the remote is compared with.
func TestPushComparesWithTheRemoteWhateverWasHeard(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	remote := aferotest.OS(t.TempDir())
	for _, name := range []string{"remove", "rename", "replace"} {
		require.NoError(t, afero.WriteFile(remote, name, []byte("first"), 0o644))
	}
	s, err := New(remote, realDir(t), &Options{Cache: cachefs.Options{Now: func() time.Time { return now }}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, second(afero.ReadDir(s, "/")))
	for _, name := range []string{"remove", "rename", "replace", "new", "exclusive"} {
		require.NoError(t, afero.WriteFile(remote, name, []byte("made by another client"), 0o644))
	}
	require.NoError(t, s.Remove("remove"))
	require.NoError(t, s.Rename("rename", "renamed"))
	require.NoError(t, afero.WriteFile(s, "new", []byte("ours"), 0o644))
	f, err := s.OpenFile("exclusive", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, afero.WriteFile(s, "temp", []byte("ours"), 0o644))
	require.NoError(t, s.Rename("temp", "replace"))

	report, err := s.Push(context.Background())
	require.ErrorIs(t, err, ErrConflict)
	require.Equal(t, 5, report.Failed)
	for _, name := range []string{"remove", "rename", "replace", "new", "exclusive"} {
		got, err := afero.ReadFile(remote, name)
		require.NoError(t, err)
		require.Equal(t, "made by another client", string(got))
	}
}
