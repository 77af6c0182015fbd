package memremote

import (
	"errors"
	"io"
	"io/fs"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	t.Parallel()
	aferotest.Run(t, aferotest.Subject{
		New: func(testing.TB) afero.Fs { return Of(&afero.MemMapFs{}) },
		Incapable: map[aferotest.Capability]string{
			aferotest.Links:           "MemMapFs has no links",
			aferotest.LongNames:       "MemMapFs takes names of any length",
			aferotest.DirectoryTimes:  "MemMapFs does not keep them",
			aferotest.FullFiles:       "a remote does not need them",
			aferotest.OpenDirectories: "an open directory is listed by name",
		},
	})
}

// TestAnothersNames finds what a program put into the MemMapFs in its own spelling.
func TestAnothersNames(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"", "/"} {
		memory := &afero.MemMapFs{}
		require.NoError(t, afero.WriteFile(memory, root+"d/f", []byte("theirs"), 0o644))
		m := Of(memory)
		for _, name := range []string{"d/f", "/d/f", "./d/f", "/x/../d/f"} {
			content, err := afero.ReadFile(m, name)
			require.NoError(t, err, name)
			require.Equal(t, "theirs", string(content))
		}
		require.ErrorIs(t, m.Remove("/d"), syscall.ENOTEMPTY)
		require.ErrorIs(t, m.Mkdir("/x/y", 0o755), fs.ErrNotExist)
		_, err := m.Create("/x/y")
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorIs(t, m.Rename("/d/f", "/x/y"), fs.ErrNotExist)
		before, err := m.Stat("/d/f")
		require.NoError(t, err)

		require.NoError(t, afero.WriteFile(m, "/d/temp", []byte("ours, longer"), 0o600))
		require.NoError(t, m.Rename("/d/temp", "/d/f"))
		require.NoError(t, afero.WriteFile(m, "/new", []byte("new"), 0o644))
		for name, want := range map[string]string{"d/f": "ours, longer", "new": "new"} {
			content, err := afero.ReadFile(memory, root+name)
			require.NoError(t, err, "%q", root+name)
			require.Equal(t, want, string(content))
		}
		require.EqualValues(t, len("theirs"), before.Size(), "a FileInfo is of its moment")
	}
}

// TestParallelUse of one MemMapFs through two programs' Fs is for the race detector.
func TestParallelUse(t *testing.T) {
	t.Parallel()
	memory := &afero.MemMapFs{}
	require.NoError(t, afero.WriteFile(Of(memory), "/f", make([]byte, 1000), 0o644))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			m := Of(memory)
			own := "/own" + string(rune('0'+i))
			f, err := m.Open("/f")
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			for range 50 {
				n, err := f.ReadAt(make([]byte, 100), 900)
				if n != 100 || err != nil && !errors.Is(err, io.EOF) {
					t.Error(n, err)
				}
				if err := errors.Join(
					afero.WriteFile(m, own, []byte("x"), 0o644),
					m.Rename(own, "/shared"),
					m.Chtimes("/f", time.Now(), time.Now()),
					m.MkdirAll("/d/e", 0o755),
				); err != nil {
					t.Error(err)
				}
				if _, err := afero.ReadDir(m, "/"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOneForEachMemMapFs(t *testing.T) {
	memory, other := &afero.MemMapFs{}, &afero.MemMapFs{}
	m := Of(memory)
	require.Same(t, m, Of(memory))
	require.NotSame(t, m, Of(other))
	require.NoError(t, afero.WriteFile(m, "/f", nil, 0o644))
	runtime.KeepAlive(m)

	// Nothing of one that is not in use stays.
	count := func() int {
		all.Lock()
		defer all.Unlock()
		return len(all.byMemory)
	}
	for range 100 {
		Of(&afero.MemMapFs{})
	}
	require.Eventually(t, func() bool { runtime.GC(); return count() < 90 }, 10*time.Second, time.Millisecond)
}
