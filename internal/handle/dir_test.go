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

func (l *listed) List(bare bool) ([]fs.FileInfo, error) {
	l.lists++
	entries, err := os.ReadDir(l.dir)
	infos := make([]fs.FileInfo, len(entries))
	for i, e := range entries {
		if infos[i], _ = e.Info(); bare {
			infos[i] = nameOnly{name: e.Name()}
		}
	}
	return infos, errors.Join(err, l.fail)
}

// nameOnly panics if it is asked for something else than the name.
type nameOnly struct {
	fs.FileInfo
	name string
}

func (n nameOnly) Name() string { return n.name }

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

// Readdir continues where Readdirnames has stopped. It describes what is left of the entries that were listed by name.
func TestReaddirAfterReaddirnames(t *testing.T) {
	t.Parallel()
	l := &listed{dir: t.TempDir()}
	file := func(name string) string { return filepath.Join(l.dir, name) }
	for _, name := range []string{"a", "b", "c", "d"} {
		require.NoError(t, os.WriteFile(file(name), []byte(name), 0o644))
	}
	d := NewDir[lock](l, l.dir)
	names, err := d.Readdirnames(1)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, names)
	require.NoError(t, os.Remove(file("c")))
	require.NoError(t, os.WriteFile(file("bb"), nil, 0o644))
	infos, err := d.Readdir(1)
	require.NoError(t, err)
	require.Equal(t, "b", infos[0].Name())
	require.Equal(t, int64(1), infos[0].Size())
	names, err = d.Readdirnames(-1)
	require.NoError(t, err)
	require.Equal(t, []string{"d"}, names)
	require.Equal(t, 2, l.lists)
	_, err = d.Readdir(1)
	require.ErrorIs(t, err, io.EOF)
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
