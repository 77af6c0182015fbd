package cachefs

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

func TestRestartKeepsCopies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Revalidate: time.Hour})
	w.put("d/sub/f", "content")
	w.put("g", "content")
	w.requireRead("content", "d/sub/f")
	w.requireRead("content", "g")
	w.requireAsked(0, func() {
		w.restart()
		w.requireRead("content", "d/sub/f")
		require.NoError(t, w.fs.Fetch(t.Context(), "g"))
		fi, err := w.fs.Stat("d/sub/f")
		require.NoError(t, err)
		want, err := w.remote.Stat("d/sub/f")
		require.NoError(t, err)
		require.Equal(t, want.Mode(), fi.Mode())
		require.True(t, want.ModTime().Equal(fi.ModTime()))
	})
	w.clock.advance(time.Hour)
	w.requireAsked(1, func() { w.requireRead("content", "g") }) // when it was checked is recorded as well
	require.NoError(t, w.fs.Evict("g"))
	w.restart()
	w.requireNoLocal("g")
	w.requireFetched(7, func() { w.requireRead("content", "g") })
}

func TestStartTouchesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.putLocal("own/f", "the user's")
	before, err := os.Stat(w.local("own/f"))
	require.NoError(t, err)
	w.requireAsked(0, w.restart)
	after, err := os.Stat(w.local("own/f"))
	require.NoError(t, err)
	require.Equal(t, before.ModTime(), after.ModTime())
}

// What a damaged record can't prove to be copies are files of the user's, and nothing is deleted.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "content")
	w.requireRead("content", "f")
	require.NoError(t, w.fs.Close())
	log, err := os.ReadFile(w.local(".syncfs/log"))
	require.NoError(t, err)
	for i := 8; i < len(log); i++ {
		log[i] ^= 0xff
	}
	require.NoError(t, os.WriteFile(w.local(".syncfs/log"), log, 0o600))
	w.fs, err = New(w.remote, afero.NewBasePathFs(afero.NewOsFs(), w.dir), &w.opts)
	require.NoError(t, err)
	require.Error(t, w.fs.Damage())
	w.requireRead("content", "f")
	require.ErrorIs(t, w.fs.Evict("f"), ErrChanged)
	w.requireLocal("content", "f")
}

func TestLocalDirectoryIsHeldByOne(t *testing.T) {
	t.Parallel()
	memory := afero.NewMemMapFs()
	for name, local := range map[string]afero.Fs{
		"directory": afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()),
		"memory":    memory,
	} {
		first, err := New(afero.NewMemMapFs(), local, nil)
		require.NoError(t, err, name)
		_, err = New(afero.NewMemMapFs(), local, nil)
		require.ErrorIs(t, err, ErrLocked, name)
		require.ErrorContains(t, err, fmt.Sprintf("process %d", os.Getpid()), name)
		require.NoError(t, first.Close())
		again, err := New(afero.NewMemMapFs(), local, nil)
		require.NoError(t, err, name)
		require.NoError(t, again.Close())
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	local := afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())
	for name, err := range map[string]error{
		"no remote":  second(New(nil, local, nil)),
		"no local":   second(New(afero.NewMemMapFs(), nil, nil)),
		"revalidate": second(New(afero.NewMemMapFs(), local, &Options{Revalidate: -2})),
		"max bytes":  second(New(afero.NewMemMapFs(), local, &Options{MaxBytes: -1})),
		"parallel":   second(New(afero.NewMemMapFs(), local, &Options{Parallel: -1})),
	} {
		require.ErrorIs(t, err, os.ErrInvalid, name)
	}
	_, err := New(afero.NewMemMapFs(), afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()+"/missing"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}
