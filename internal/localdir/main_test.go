package localdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/internal/foldfs"
)

// holdEnv makes the test binary hold the lock of the directory it names until it is killed.
const holdEnv = "LOCALDIR_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdEnv); dir != "" {
		hold(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// hidden is an Fs of which nothing is known but that it is one.
type hidden struct{ afero.Fs }

// kinds are the Fs that must not differ.
var kinds = []struct {
	name string
	real bool
	new  func(t *testing.T) afero.Fs
}{
	{"real", true, func(t *testing.T) afero.Fs { return afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()) }},
	{"memory", false, func(t *testing.T) afero.Fs { return afero.NewMemMapFs() }},
	{"memory below a base", false, func(t *testing.T) afero.Fs {
		m := afero.NewMemMapFs()
		require.NoError(t, m.Mkdir("/base", 0o755))
		return afero.NewBasePathFs(m, "/base")
	}},
	{"hidden memory", false, func(t *testing.T) afero.Fs { return hidden{afero.NewMemMapFs()} }},
	{"hidden real", false, func(t *testing.T) afero.Fs {
		return hidden{afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())}
	}},
	{"real, translated", true, func(t *testing.T) afero.Fs { return translatedDir(t, t.TempDir()) }},
	{foldfs.Kinds[0].Name, false, func(t *testing.T) afero.Fs { return foldfs.Kinds[0].New(t) }},
	{foldfs.Kinds[1].Name, false, func(t *testing.T) afero.Fs { return foldfs.Kinds[1].New(t) }},
}

// translatedDir is a real directory in which names are translated without need.
func translatedDir(t *testing.T, dir string) afero.Fs {
	require.NoError(t, os.MkdirAll(filepath.Join(dir, NamesDir), 0o700))
	return osDir(dir)
}

// overEach runs test over every kind of Fs.
func overEach(t *testing.T, test func(t *testing.T, d *Dir)) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			d := open(t, kind.new(t))
			require.Equal(t, kind.real, d.Real())
			test(t, d)
		})
	}
}

func open(t *testing.T, fsys afero.Fs) *Dir {
	t.Helper()
	d, err := Open(fsys)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// class is what matters about an error: the one thing it matches. It fails the test for an error that does not name
// operation and path once.
func class(t require.TestingT, err error) string {
	if err == nil {
		return "nil"
	}
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		require.False(t, errors.As(pathErr.Err, new(*fs.PathError)), "%v", err)
	case errors.As(err, &linkErr):
		require.False(t, errors.As(linkErr.Err, new(*os.LinkError)), "%v", err)
	default:
		require.Fail(t, "neither PathError nor LinkError", "%v", err)
	}
	for _, c := range []struct {
		name string
		err  error
	}{
		{"escapes", ErrEscapes}, {"closed", fs.ErrClosed}, {"invalid", fs.ErrInvalid},
		{"ENOTDIR", syscall.ENOTDIR}, {"EISDIR", syscall.EISDIR}, {"ENOTEMPTY", syscall.ENOTEMPTY},
		{"EINVAL", syscall.EINVAL}, {"EBADF", syscall.EBADF},
		{"exist", fs.ErrExist}, {"not exist", fs.ErrNotExist},
	} {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	return fmt.Sprintf("other: %v", err)
}

func write(t require.TestingT, d *Dir, name, content string) {
	f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte(content), 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func read(t require.TestingT, d *Dir, name string) string {
	f, err := d.OpenFile(name, os.O_RDONLY, 0)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	b := make([]byte, info.Size())
	_, err = f.ReadAt(b, 0)
	require.NoError(t, err)
	return string(b)
}
