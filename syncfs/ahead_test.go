package syncfs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// A farStager stages, and makes no directory before it is connected.
type farStager struct {
	afero.Fs
	connected chan struct{}
}

func (r farStager) WithContext(context.Context) afero.Fs { return r }

func (r farStager) Mkdir(name string, perm fs.FileMode) error {
	<-r.connected
	return r.Fs.Mkdir(name, perm)
}

func (r farStager) Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
	staged, there fs.FileInfo, err error) {
	if err = afero.WriteFile(r, name, content, mode); err == nil {
		err = r.Chtimes(name, atime, mtime)
	}
	if err == nil {
		staged, err = r.Stat(name)
	}
	there, _ = r.Stat(target)
	return staged, there, err
}

// An opensLog counts how often each file was opened to be read.
type opensLog struct {
	afero.Fs
	mu     sync.Mutex
	opened map[string]int
}

func (l *opensLog) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag == os.O_RDONLY && strings.HasPrefix(path.Base(name), "file") {
		l.mu.Lock()
		l.opened[path.Base(name)]++
		l.mu.Unlock()
	}
	return l.Fs.OpenFile(name, flag, perm)
}

// pushAhead pushes files of a new directory, and calls meanwhile when nothing can be done any more before the remote is
// connected. It returns what there was on the remote in the end.
func pushAhead(t *testing.T, files, size int, meanwhile func(*Fs, *opensLog)) afero.Fs {
	remote := farStager{aferotest.OS(t.TempDir()), make(chan struct{})}
	local := &opensLog{Fs: afero.NewMemMapFs(), opened: map[string]int{}}
	s, err := New(remote, local, nil)
	require.NoError(t, err)
	require.NoError(t, s.Mkdir("d", 0o755))
	for i := range files {
		require.NoError(t, afero.WriteFile(s, fmt.Sprintf("d/file%d", i), make([]byte, size), 0o644))
	}
	pushed := make(chan error, 1)
	go func() {
		_, err := s.Push(t.Context())
		pushed <- err
	}()
	synctest.Wait()
	meanwhile(s, local)
	close(remote.connected)
	require.NoError(t, <-pushed)
	require.NoError(t, s.Close())
	return remote.Fs
}

// While the remote connects, small files are read, as many as there is room for, and each is read once only.
func TestReadsAhead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ files, size, ahead int }{
		{100, 1000, 100},
		{300, mostStaged, mostAhead / mostStaged},
		{10, mostStaged + 1, 0},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var local *opensLog
				pushAhead(t, c.files, c.size, func(_ *Fs, l *opensLog) {
					require.Len(t, l.opened, c.ahead)
					local = l
				})
				require.Len(t, local.opened, c.files)
				for name, n := range local.opened {
					require.Equal(t, 1, n, name)
				}
			})
		})
	}
}

// What changes after it was read is not sent as it was, whatever the clock shows of that.
func TestChangedAfterItWasReadAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		remote := pushAhead(t, 3, 3, func(s *Fs, local *opensLog) {
			require.Len(t, local.opened, 3)
			require.NoError(t, afero.WriteFile(s, "d/file0", []byte("new"), 0o644))
			require.NoError(t, afero.WriteFile(local.Fs, "d/file1", []byte("edited by hand"), 0o644))
			require.NoError(t, s.Add("d/file1"))
		})
		for name, want := range map[string]string{"d/file0": "new", "d/file1": "edited by hand", "d/file2": "\x00\x00\x00"} {
			got, err := afero.ReadFile(remote, name)
			require.NoError(t, err)
			require.Equal(t, want, string(got))
		}
	})
}

// A stagesLate is a remote that stages once it is let.
type stagesLate struct {
	farStager
	once sync.Once
}

func (r *stagesLate) WithContext(context.Context) afero.Fs { return r }

func (r *stagesLate) Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
	staged, there fs.FileInfo, err error) {
	r.once.Do(func() { <-r.connected })
	return r.farStager.Stage(name, content, mode, atime, mtime, target)
}

// What changes while it is sent is sent again, whatever the clock shows of that.
func TestChangedWhileItWasSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		remote := &stagesLate{farStager: farStager{aferotest.OS(t.TempDir()), make(chan struct{})}}
		s, err := New(remote, afero.NewMemMapFs(), nil)
		require.NoError(t, err)
		require.NoError(t, afero.WriteFile(s, "f", []byte("old"), 0o644))
		pushed := make(chan error, 1)
		go func() {
			_, err := s.Push(t.Context())
			pushed <- err
		}()
		synctest.Wait()
		require.NoError(t, afero.WriteFile(s, "f", []byte("new"), 0o644))
		close(remote.connected)
		require.ErrorIs(t, <-pushed, ErrBusy)
		_, err = s.Push(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Close())
		got, err := afero.ReadFile(remote, "f")
		require.NoError(t, err)
		require.Equal(t, "new", string(got))
	})
}
