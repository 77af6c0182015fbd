package handle

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// listed is the content of a directory.
type listed struct {
	dir    string
	fail   error
	lists  int
	closed int
}

func (l *listed) List() ([]fs.FileInfo, error) {
	l.lists++
	entries, err := os.ReadDir(l.dir)
	infos := make([]fs.FileInfo, len(entries))
	for i, e := range entries {
		infos[i], _ = e.Info()
	}
	return infos, errors.Join(err, l.fail)
}

func (l *listed) Stat(string) (fs.FileInfo, error) { return os.Stat(l.dir) }

func (l *listed) Close() { l.closed++ }

func TestDirEqualsThatOfPackageOS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	oracle, err := os.Open(dir)
	require.NoError(t, err)
	l := &listed{dir: dir}
	subject := NewDir[lock](l, dir)
	same := func(call func(f fs.File) (any, error)) {
		t.Helper()
		want, wantErr := call(oracle)
		got, err := call(subject)
		require.Equal(t, want, got)
		requireSame(t, wantErr, err)
	}
	calls := map[string]func(f fs.File) (any, error){
		"read":      func(f fs.File) (any, error) { return f.Read(make([]byte, 1)) },
		"read none": func(f fs.File) (any, error) { return f.(io.ReaderAt).ReadAt(make([]byte, 1), 0) },
		"write":     func(f fs.File) (any, error) { return f.(io.Writer).Write([]byte("x")) },
		"string":    func(f fs.File) (any, error) { return f.(io.StringWriter).WriteString("x") },
		"write at":  func(f fs.File) (any, error) { return f.(io.WriterAt).WriteAt([]byte("x"), 0) },
		"truncate":  func(f fs.File) (any, error) { return nil, f.(interface{ Truncate(int64) error }).Truncate(0) },
		"sync":      func(f fs.File) (any, error) { return nil, f.(interface{ Sync() error }).Sync() },
		"stat": func(f fs.File) (any, error) {
			fi, err := f.Stat()
			if err != nil {
				return nil, err
			}
			return fi.Mode(), nil
		},
		"write to":  func(f fs.File) (any, error) { return f.(io.WriterTo).WriteTo(io.Discard) },
		"read from": func(f fs.File) (any, error) { return f.(io.ReaderFrom).ReadFrom(strings.NewReader("x")) },
	}
	for _, call := range calls {
		same(call)
	}
	// Package os has the order of the disk, so what is compared is how many there are.
	names := func(count int) func(f fs.File) (any, error) {
		return func(f fs.File) (any, error) {
			names, err := f.(interface {
				Readdirnames(int) ([]string, error)
			}).Readdirnames(count)
			return len(names), err
		}
	}
	for _, count := range []int{1, 2, 0, -1, 1, 5} {
		same(names(count))
	}
	same(func(f fs.File) (any, error) { return f.(io.Seeker).Seek(0, io.SeekStart) })
	same(names(3))
	require.Equal(t, 2, l.lists, "again after a Seek")
	same(func(f fs.File) (any, error) {
		entries, err := f.(fs.ReadDirFile).ReadDir(-1)
		return len(entries), err
	})
	require.NoError(t, oracle.Close())
	require.NoError(t, subject.Close())
	for _, call := range calls {
		same(call)
	}
	same(names(1))
	same(func(f fs.File) (any, error) { return f.(io.Seeker).Seek(0, io.SeekStart) })
	require.Error(t, subject.Close())
	require.Equal(t, 1, l.closed)
	require.Equal(t, dir, subject.Name())
}

// A list that fails is asked for again by the next call.
func TestListThatFails(t *testing.T) {
	t.Parallel()
	l := &listed{dir: t.TempDir(), fail: fs.ErrPermission}
	require.NoError(t, os.WriteFile(filepath.Join(l.dir, "f"), nil, 0o644))
	d := NewDir[lock](l, "d")
	_, err := d.Readdir(-1)
	require.EqualError(t, err, "readdir d: permission denied")
	_, err = d.Readdirnames(-1)
	require.ErrorIs(t, err, fs.ErrPermission)
	l.fail = nil
	infos, err := d.Readdir(-1)
	require.NoError(t, err)
	require.Len(t, infos, 1)
	_, err = d.Seek(1, io.SeekStart)
	require.Error(t, err)
}
