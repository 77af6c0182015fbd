package remote

import (
	"context"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// able has the optional methods that move bytes, and whose files have theirs.
type able struct {
	afero.Fs
	called string
}

func (a *able) ReplaceFile(oldname, newname string) error {
	a.called = oldname + ">" + newname
	return fs.ErrPermission
}

func (a *able) ReadVersion(name string, size int64, _ time.Time) ([]byte, fs.FileInfo, error) {
	return []byte(name), stated{size: size}, nil
}

func (a *able) Stage(name string, content []byte, _ fs.FileMode, _, _ time.Time, target string) (staged, there fs.FileInfo, err error) {
	return stated{name: name, size: int64(len(content))}, stated{name: target}, nil
}

func (a *able) KeepsContent() bool { return true }

func (a *able) Create(name string) (afero.File, error) {
	f, err := a.Fs.Create(name)
	return &ableFile{File: f}, err
}

func (a *able) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := a.Fs.OpenFile(name, flag, perm)
	return &ableFile{File: f}, err
}

type ableFile struct {
	afero.File
	came int64
}

func (f *ableFile) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(f.File, r)
	f.came += n
	return n, err
}

func (f *ableFile) Acknowledged() int64 { return f.came }

// What is optional is called as it is, and ends with the context.
func TestOptionalCalls(t *testing.T) {
	t.Parallel()
	base := &able{Fs: aferotest.OS(t.TempDir())}
	ctx, cancel := context.WithCancel(context.Background())
	r := New(ctx, base)
	require.Equal(t, base, r.Base())

	replacer, ok := Optional[contract.FileReplacer](r)
	require.True(t, ok)
	require.ErrorIs(t, replacer.ReplaceFile("/a", "/b"), fs.ErrPermission)
	require.Equal(t, "/a>/b", base.called)
	reader, ok := Optional[contract.VersionReader](r)
	require.True(t, ok)
	content, fi, err := reader.ReadVersion("/a", 7, time.Time{})
	require.NoError(t, err)
	require.Equal(t, "/a", string(content))
	require.EqualValues(t, 7, fi.Size())
	stager, ok := Optional[contract.Stager](r)
	require.True(t, ok)
	staged, there, err := stager.Stage("/t", []byte("abc"), 0o600, time.Time{}, time.Time{}, "/a")
	require.NoError(t, err)
	require.Equal(t, "/t", staged.Name())
	require.Equal(t, "/a", there.Name())
	keeper, ok := Optional[contract.ContentKeeper](r)
	require.True(t, ok)
	require.True(t, keeper.KeepsContent())
	_, ok = Optional[contract.Expecter](r)
	require.False(t, ok)

	f, err := r.Fs().Create("/f")
	require.NoError(t, err)
	to, ok := OptionalFile[io.ReaderFrom](f)
	require.True(t, ok)
	for i, source := range []io.Reader{strings.NewReader("sized"), struct{ io.Reader }{strings.NewReader("plain")}} {
		n, err := to.ReadFrom(source)
		require.NoError(t, err)
		require.EqualValues(t, 5, n, i)
	}
	acknowledger, ok := OptionalFile[contract.Acknowledger](f)
	require.True(t, ok)
	require.EqualValues(t, 5, acknowledger.Acknowledged(), "what is not sized is written")
	_, ok = OptionalFile[io.WriterTo](f)
	require.False(t, ok)
	require.NoError(t, f.Close())
	text, err := afero.ReadFile(base.Fs, "/f")
	require.NoError(t, err)
	require.Equal(t, "sizedplain", string(text))

	cancel()
	require.ErrorIs(t, replacer.ReplaceFile("/c", "/d"), context.Canceled)
	require.Equal(t, "/a>/b", base.called, "it was not sent")
}
