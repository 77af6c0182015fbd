package syncfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
)

// walks are the calls that visit all directories of a remote.
var walks = map[string]func(s *Fs) error{
	"Pull": func(s *Fs) error {
		_, err := s.Pull(s.m.Context(), "/")
		return err
	},
	"RemoveAll": func(s *Fs) error { return s.RemoveAll("d") },
	"Walk": func(s *Fs) error {
		return afero.Walk(s, "/d", func(_ string, _ fs.FileInfo, err error) error { return err })
	},
}

// walkOn calls a walk of a remote.
func walkOn(ctx context.Context, t *testing.T, remote afero.Fs, walk func(*Fs) error) error {
	t.Helper()
	opts := &Options{Cache: cachefs.Options{Parallel: 8}}
	s, err := New(remote, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), opts)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	err = walk(s.with(ctx))
	require.Empty(t, s.Pending())
	return err
}

// A chain of directories that never ends is followed as far as there can be paths. The error names one.
func TestEndlessChain(t *testing.T) {
	t.Parallel()
	for name, walk := range walks {
		for _, element := range []string{strings.Repeat("d", 15), strings.Repeat("d", 255)} {
			t.Run(fmt.Sprint(name, len(element)), func(t *testing.T) {
				t.Parallel()
				var listed atomic.Int64
				remote := remotetest.Dirs(func(dir string) []string {
					listed.Add(1)
					if dir == "/" {
						return []string{"d"}
					}
					return []string{element}
				})
				err := walkOn(t.Context(), t, remote, walk)
				require.ErrorIs(t, err, syscall.ENAMETOOLONG)
				require.ErrorContains(t, err, "d/"+element+"/"+element)
				require.Less(t, len(err.Error()), 3*4096)
				require.LessOrEqual(t, listed.Load(), int64(4096/len(element)+1))
			})
		}
	}
}

// What cannot be named does not keep what is beside it from being fetched, and is reported once.
func TestPullGoesOnBesideAChain(t *testing.T) {
	t.Parallel()
	element := strings.Repeat("d", 255)
	beside := atomic.Bool{}
	remote := remotetest.Dirs(func(dir string) []string {
		switch {
		case dir == "/":
			return []string{"a", "b", "z"}
		case dir == "/z":
			beside.Store(true)
			return nil
		}
		return []string{element}
	})
	err := walkOn(t.Context(), t, remote, walks["Pull"])
	require.ErrorIs(t, err, syscall.ENAMETOOLONG)
	require.Equal(t, 1, strings.Count(err.Error(), syscall.ENAMETOOLONG.Error()))
	require.True(t, beside.Load())
}

// A context ends a walk that would never end by itself.
func TestContextEndsAWalk(t *testing.T) {
	t.Parallel()
	for name, walk := range walks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var listed atomic.Int64
			remote := remotetest.Dirs(func(string) []string {
				if listed.Add(1) == 100 {
					cancel()
				}
				return []string{"a", "d"}
			})
			require.ErrorIs(t, walkOn(ctx, t, remote, walk), context.Canceled)
			require.Less(t, listed.Load(), int64(1000))
		})
	}
}

// A directory of many does not start a goroutine for each. Not parallel: goroutines are counted.
func TestWalksHaveFewGoroutines(t *testing.T) {
	const many = 5000
	var names []string
	for i := range many {
		names = append(names, strconv.Itoa(i))
	}
	for name, walk := range walks {
		t.Run(name, func(t *testing.T) {
			before, most := runtime.NumGoroutine(), atomic.Int64{}
			remote := remotetest.Dirs(func(dir string) []string {
				most.Store(max(most.Load(), int64(runtime.NumGoroutine()-before)))
				switch dir {
				case "/":
					return []string{"d"}
				case "/d":
					return names
				}
				return nil
			})
			s, err := New(remote, afero.NewMemMapFs(), &Options{Cache: cachefs.Options{Parallel: 8}})
			require.NoError(t, err)
			require.NoError(t, walk(s))
			require.NoError(t, s.Close())
			require.Less(t, most.Load(), int64(200))
		})
	}
}

// Neither does the local directory keep AddDir from ending with its context.
func TestContextEndsAddDir(t *testing.T) {
	t.Parallel()
	for _, files := range []bool{false, true} {
		r := newRig(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for i := range 100 {
			r.place(fmt.Sprintf("d/%d:text", i))
		}
		added := 0
		if !files {
			cancel()
		}
		err := r.fs.with(ctx).AddDir("d", func(string) { added++; cancel() })
		require.ErrorIs(t, err, context.Canceled)
		require.LessOrEqual(t, added, 1)
	}
}

// A file that cannot be added is named.
func TestAddDirNamesWhatIsTooLong(t *testing.T) {
	t.Parallel()
	local := afero.NewMemMapFs()
	name := "/d" + strings.Repeat("/"+strings.Repeat("n", 200), 25) + "/f"
	require.NoError(t, afero.WriteFile(local, name, []byte("x"), 0o644))
	s, err := New(afero.NewMemMapFs(), local, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	err = s.AddDir("/", nil)
	require.ErrorIs(t, err, syscall.ENAMETOOLONG)
	var pathErr *os.PathError
	require.True(t, errors.As(err, &pathErr))
	require.Greater(t, len(pathErr.Path), 4000)
}
