package remote

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// both are a remote with the methods that are optional, and one without.
var both = map[string]func(t *testing.T, base afero.Fs) *Remote{
	"plain": func(t *testing.T, base afero.Fs) *Remote { return New(t.Context(), base) },
	"quick": func(t *testing.T, base afero.Fs) *Remote { return New(t.Context(), quick{base}) },
}

// quick has optional methods, made of others.
type quick struct{ afero.Fs }

func (q quick) ReadDir(name string) ([]fs.FileInfo, error) { return afero.ReadDir(q.Fs, name) }

func (q quick) MakeDir(name string, perm fs.FileMode) (fs.FileInfo, error) {
	if err := q.Mkdir(name, perm); err != nil {
		fi, _ := q.Stat(name)
		return fi, err
	}
	return q.Stat(name)
}

func (q quick) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	return q.Fs.(afero.Lstater).LstatIfPossible(name)
}

func (q quick) ReadlinkIfPossible(name string) (string, error) {
	return q.Fs.(afero.LinkReader).ReadlinkIfPossible(name)
}

func (q quick) SymlinkIfPossible(oldname, newname string) error {
	return q.Fs.(afero.Linker).SymlinkIfPossible(oldname, newname)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := aferotest.OS(t.TempDir())
			require.NoError(t, base.MkdirAll("/d/e", 0o755))
			require.NoError(t, afero.WriteFile(base, "/d/f", []byte("text"), 0o640))
			require.NoError(t, afero.WriteFile(base, "/d/.syncfs-0123456789abcdef.part", nil, 0o600))
			require.NoError(t, base.(afero.Linker).SymlinkIfPossible("f", "/d/l"))
			r := open(t, base)

			file := r.Ask("d/f")
			require.Equal(t, tree.Exists, file.Known)
			require.Equal(t, tree.File, file.Kind)
			require.EqualValues(t, 4, file.Meta.Size)
			require.Equal(t, fs.FileMode(0o640), file.Meta.Mode)

			link := r.Ask("d/l")
			require.Equal(t, tree.Link, link.Kind)
			require.Equal(t, "f", link.Target)
			require.Equal(t, tree.File, r.AskFollowing("d/l").Kind)

			require.Equal(t, tree.Dir, r.Ask(".").Kind)
			for _, absent := range []string{"none", "none/x", "d/f/x"} {
				for _, a := range []Answer{r.Ask(absent), r.AskFollowing(absent)} {
					require.Equal(t, tree.Absent, a.Known, absent)
					require.True(t, Definite(a.Err), "%s: %v", absent, a.Err)
				}
			}
			require.ErrorIs(t, r.Ask(strings.Repeat("x/", 2100)).Err, syscall.ENAMETOOLONG)

			l := r.List("d")
			require.NoError(t, l.Err)
			require.Equal(t, map[string]Answer{"e": r.Ask("d/e"), "f": file, "l": link}, l.Entries, "without what is reserved")
			require.Equal(t, []string{"e"}, l.Dirs())
			require.ErrorIs(t, r.List("none").Err, fs.ErrNotExist)
			names, reserved, err := r.AskNames("d")
			require.NoError(t, err)
			require.Equal(t, []string{"e", "f", "l"}, names)
			require.Len(t, reserved, 1)
			_, _, err = r.AskNames("none")
			require.ErrorIs(t, err, fs.ErrNotExist)

			made, err := r.MakeDir("d/new", 0o750)
			require.NoError(t, err)
			require.Equal(t, tree.Dir, made.Kind)
			there, err := r.MakeDir("d/f", 0o755)
			require.ErrorIs(t, err, fs.ErrExist)
			require.Equal(t, tree.File, there.Kind)
			followed, err := r.MakeDir("d/l", 0o755)
			require.ErrorIs(t, err, fs.ErrExist)
			require.Equal(t, tree.File, followed.Kind)
			_, err = r.MakeDir("none/x", 0o755)
			require.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
}

func TestDescribed(t *testing.T) {
	t.Parallel()
	r := New(t.Context(), afero.NewMemMapFs())
	require.Equal(t, tree.Absent, r.Described("x", nil).Known)
	require.EqualValues(t, math.MaxInt64, MetaOf(stated{size: -1}).Size, "more than there is a number for")
}

// Names and targets of links that lead elsewhere end the listing.
func TestHostileLists(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "..", "a/b", "a\x00"} {
		r := New(t.Context(), hostile{Fs: afero.NewMemMapFs(), name: name})
		require.ErrorIs(t, r.List(".").Err, fs.ErrInvalid, "%q", name)
		_, _, err := r.AskNames(".")
		require.ErrorIs(t, err, fs.ErrInvalid, "%q", name)
	}
	for _, target := range []string{"a\x00", strings.Repeat("x", 4096)} {
		r := New(t.Context(), hostile{Fs: afero.NewMemMapFs(), name: "l", target: target})
		require.ErrorIs(t, r.List(".").Err, fs.ErrInvalid, "%.9q", target)
	}
	gone := hostile{Fs: afero.NewMemMapFs(), name: "l", err: os.ErrNotExist}
	l := New(t.Context(), gone).List(".")
	require.NoError(t, l.Err)
	require.Empty(t, l.Entries, "removed since it was listed")
}

// hostile lists one entry: a link, if it has a target or an error of reading it.
type hostile struct {
	afero.Fs
	name, target string
	err          error
}

func (h hostile) ReadDir(string) ([]fs.FileInfo, error) {
	s := stated{name: h.name}
	if h.target != "" || h.err != nil {
		s.mode = fs.ModeSymlink
	}
	return []fs.FileInfo{s}, nil
}

func (h hostile) ReadlinkIfPossible(string) (string, error) { return h.target, h.err }

type stated struct {
	name string
	size int64
	mode fs.FileMode
}

func (s stated) Name() string       { return s.name }
func (s stated) Size() int64        { return s.size }
func (s stated) Mode() fs.FileMode  { return s.mode }
func (s stated) ModTime() time.Time { return time.Time{} }
func (s stated) IsDir() bool        { return s.mode.IsDir() }
func (s stated) Sys() any           { return nil }

func TestErrors(t *testing.T) {
	t.Parallel()
	require.NoError(t, Error(nil))
	for _, answer := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, syscall.ENOSPC, context.Canceled, ErrUnavailable} {
		got := Error(&fs.PathError{Op: "open", Path: "/x", Err: answer})
		require.Equal(t, answer, got, "without operation and path")
	}
	lost := errors.New("connection lost")
	got := Error(&os.LinkError{Op: "rename", Old: "/x", New: "/y", Err: lost})
	require.ErrorIs(t, got, ErrUnavailable)
	require.ErrorIs(t, got, lost)
	require.EqualError(t, got, "remote is unavailable: connection lost")
	require.NotErrorIs(t, got, fs.ErrNotExist)
	require.True(t, Definite(syscall.ENOTDIR))
	require.False(t, Definite(fs.ErrPermission), "a refusal says nothing about what is there")
}

func TestSpecial(t *testing.T) {
	t.Parallel()
	for mode, kind := range map[fs.FileMode]string{
		fs.ModeNamedPipe: "named pipe", fs.ModeSocket: "socket", fs.ModeDevice: "device",
		fs.ModeDevice | fs.ModeCharDevice: "device", fs.ModeIrregular: "file of its own kind",
	} {
		err := Special(mode | 0o644)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.ErrorContains(t, err, "it is a "+kind)
	}
	for _, mode := range []fs.FileMode{0, fs.ModeDir, fs.ModeSymlink} {
		require.NoError(t, Special(mode|0o644))
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rooted, relative := New(t.Context(), aferotest.OS(dir)), New(t.Context(), afero.FromIOFS{FS: os.DirFS(dir)})
	require.Equal(t, "/", rooted.Name("."))
	require.Equal(t, "/a/b", rooted.Name("a/b"))
	require.Equal(t, ".", relative.Name("."))
	require.Equal(t, "a/b", relative.Name("a/b"))
	require.True(t, rooted.HasLinks())
	require.False(t, relative.HasLinks())
	require.Equal(t, afero.ErrNoReadlink, New(t.Context(), afero.NewMemMapFs()).Described("l", stated{mode: fs.ModeSymlink}).Err)
}

// A method that is optional is found behind the context that a remote without contexts gets, and only if it is there.
func TestOptional(t *testing.T) {
	t.Parallel()
	base := afero.NewMemMapFs()
	_, ok := Optional[interface {
		ReadDir(string) ([]fs.FileInfo, error)
	}](New(t.Context(), base))
	require.False(t, ok)
	q, ok := Optional[interface {
		ReadDir(string) ([]fs.FileInfo, error)
	}](New(t.Context(), quick{base}))
	require.True(t, ok)
	infos, err := q.ReadDir("/")
	require.NoError(t, err)
	require.Empty(t, infos)
}

func TestReadsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for what, c := range map[string]struct {
		fsys afero.Fs
		want bool
	}{
		"os":               {afero.NewBasePathFs(afero.NewOsFs(), dir), true},
		"memory of afero":  {afero.NewBasePathFs(afero.NewMemMapFs(), "/"), false},
		"memory, as given": {New(t.Context(), afero.NewMemMapFs()).Fs(), true},
	} {
		require.NoError(t, afero.WriteFile(c.fsys, "/f", nil, 0o600))
		f, err := c.fsys.Open("/f")
		require.NoError(t, err)
		require.Equal(t, c.want, ReadsAtOnce(f), what)
		require.NoError(t, f.Close())
	}
}

// Settle waits for what may still change the remote, and for nothing else.
func TestSettle(t *testing.T) {
	t.Parallel()
	base := newStuck()
	r := New(context.Background(), base)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() {
		_, err := r.Bind(ctx).Fs().OpenFile("/f", os.O_WRONLY|os.O_CREATE, 0o600)
		done <- err
	}()
	<-base.called
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	soon, end := context.WithCancel(context.Background())
	go func() { done <- r.Settle(soon) }()
	end()
	require.ErrorIs(t, <-done, context.Canceled)
	close(base.release)
	require.NoError(t, r.Settle(context.Background()))
}
