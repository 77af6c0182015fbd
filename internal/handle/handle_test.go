package handle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

type lock struct{}

func (lock) Rank() int   { return 1 }
func (lock) Waits() bool { return true }

var (
	_ Full = (*File[lock])(nil)
	_ Full = (*Dir[lock, fs.FileInfo])(nil)
)

// local is the Content of a local file.
type local struct {
	*localdir.File
	mu     sync.RWMutex // orders appends
	fail   error        // of Change
	all    bool         // Prefetch was called
	closed int
}

func (l *local) ReadSome(p []byte, off int64) (int, error) { return l.ReadAt(p, off) }

func (l *local) Size() (int64, error) {
	info, err := l.File.Stat()
	return info.Size(), err
}

type info struct{ localdir.Info }

func (i info) Name() string      { return i.Info.Name }
func (i info) Mode() fs.FileMode { return i.Info.Mode }
func (i info) Sys() any          { return nil }

func (l *local) Stat(string) (fs.FileInfo, error) {
	i, err := l.File.Stat()
	return info{i}, err
}

func (l *local) Change(alone bool, do func(*localdir.File) (int, error)) (int, error) {
	if alone {
		l.mu.Lock()
		defer l.mu.Unlock()
	} else {
		l.mu.RLock()
		defer l.mu.RUnlock()
	}
	if l.fail != nil {
		return 0, l.fail
	}
	return do(l.File)
}

func (l *local) Prefetch() { l.all = true }

func (l *local) Close() error {
	l.closed++
	return l.File.Close()
}

func openDir(t require.TestingT, dir string) *localdir.Dir {
	d, err := localdir.Open(afero.NewBasePathFs(afero.NewOsFs(), dir))
	require.NoError(t, err)
	return d
}

func open(t require.TestingT, d *localdir.Dir, name string, flag int) (*File[lock], *local) {
	f, err := d.OpenFile(name, flag&^os.O_APPEND, 0o644)
	require.NoError(t, err)
	l := &local{File: f}
	return New[lock](l, name, flag), l
}

// cause is what an error says beside operation and path.
func cause(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// requireSame requires that an error says what that of package os says.
func requireSame(t require.TestingT, want, err error) {
	require.Equal(t, want == nil, err == nil, "%v, not %v", err, want)
	if err == nil {
		return
	}
	switch text := strings.TrimPrefix(cause(want).Error(), "os: "); text {
	case "negative offset": // package os has no sentinel for it
		require.ErrorIs(t, err, fs.ErrInvalid)
	case "use of closed file":
		require.ErrorIs(t, err, fs.ErrClosed)
	default:
		require.Equal(t, text, cause(err).Error())
		for _, is := range []error{io.EOF, fs.ErrClosed, fs.ErrInvalid} {
			require.Equal(t, errors.Is(want, is), errors.Is(err, is), "%v, not %v", err, want)
		}
	}
}

// Every call on a handle has the outcome that it has in package os.
func TestFileEqualsThatOfPackageOS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDir(t, dir)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	rapid.Check(t, func(t *rapid.T) {
		for _, name := range []string{"oracle", "subject"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("some content"), 0o644))
		}
		flag := rapid.SampledFrom([]int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR}).Draw(t, "mode") |
			rapid.SampledFrom([]int{0, os.O_APPEND}).Draw(t, "append")
		oracle, err := os.OpenFile(filepath.Join(dir, "oracle"), flag, 0)
		require.NoError(t, err)
		subject, _ := open(t, d, "subject", flag)
		defer oracle.Close()
		defer subject.Close()

		text := rapid.SampledFrom([]string{"", "x", "longer text"})
		offset := rapid.Int64Range(-2, 20)
		length := rapid.IntRange(0, 20)
		do := func(call func(f fs.File) (string, error)) func(*rapid.T) {
			return func(t *rapid.T) {
				want, wantErr := call(oracle)
				got, err := call(subject)
				require.Equal(t, want, got)
				requireSame(t, wantErr, err)
			}
		}
		both := func(draw func(t *rapid.T) func(f fs.File) (string, error)) func(*rapid.T) {
			return func(t *rapid.T) { do(draw(t))(t) }
		}
		t.Repeat(map[string]func(*rapid.T){
			"read": both(func(t *rapid.T) func(fs.File) (string, error) {
				n := 1 + length.Draw(t, "length")
				return func(f fs.File) (string, error) {
					p := make([]byte, n)
					n, err := f.Read(p)
					return string(p[:n]), err
				}
			}),
			"read at": both(func(t *rapid.T) func(fs.File) (string, error) {
				n, off := 1+length.Draw(t, "length"), offset.Draw(t, "offset")
				return func(f fs.File) (string, error) {
					p := make([]byte, n)
					n, err := f.(io.ReaderAt).ReadAt(p, off)
					return string(p[:n]), err
				}
			}),
			"write": both(func(t *rapid.T) func(fs.File) (string, error) {
				s := text.Draw(t, "text")
				return func(f fs.File) (string, error) {
					n, err := f.(io.StringWriter).WriteString(s)
					return fmt.Sprint(n), err
				}
			}),
			"write at": both(func(t *rapid.T) func(fs.File) (string, error) {
				s, off := "x"+text.Draw(t, "text"), offset.Draw(t, "offset")
				return func(f fs.File) (string, error) {
					n, err := f.(io.WriterAt).WriteAt([]byte(s), off)
					return fmt.Sprint(n), err
				}
			}),
			"seek": both(func(t *rapid.T) func(fs.File) (string, error) {
				off, whence := offset.Draw(t, "offset"), rapid.IntRange(0, 2).Draw(t, "whence")
				if flag&os.O_APPEND != 0 && whence == io.SeekCurrent {
					whence = io.SeekEnd // where an append leaves the position is the system's business
				}
				return func(f fs.File) (string, error) {
					at, err := f.(io.Seeker).Seek(off, whence)
					return fmt.Sprint(at), err
				}
			}),
			"truncate": both(func(t *rapid.T) func(fs.File) (string, error) {
				size := offset.Draw(t, "size")
				return func(f fs.File) (string, error) {
					return "", f.(interface{ Truncate(int64) error }).Truncate(size)
				}
			}),
			"read the rest": do(func(f fs.File) (string, error) {
				var s strings.Builder
				_, err := f.(io.WriterTo).WriteTo(&s)
				return s.String(), err
			}),
			"read from": both(func(t *rapid.T) func(fs.File) (string, error) {
				s := "x" + text.Draw(t, "text") // with nothing to write, package os does not look whether it may
				return func(f fs.File) (string, error) {
					n, err := f.(io.ReaderFrom).ReadFrom(strings.NewReader(s))
					return fmt.Sprint(n), err
				}
			}),
			"stat": do(func(f fs.File) (string, error) {
				fi, err := f.Stat()
				if err != nil {
					return "", err
				}
				return fmt.Sprint(fi.Size(), fi.Mode(), fi.IsDir()), nil
			}),
			"list": do(func(f fs.File) (string, error) {
				_, err := f.(fs.ReadDirFile).ReadDir(-1)
				return "", err
			}),
			"sync": do(func(f fs.File) (string, error) { return "", f.(interface{ Sync() error }).Sync() }),
			"close, rarely": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
					do(func(f fs.File) (string, error) { return "", f.Close() })(t)
				}
			},
			"": func(t *rapid.T) {
				want, err := os.ReadFile(filepath.Join(dir, "oracle"))
				require.NoError(t, err)
				got, err := os.ReadFile(filepath.Join(dir, "subject"))
				require.NoError(t, err)
				require.Equal(t, string(want), string(got))
			},
		})
	})
}

func TestFileIsEmptiedWhenThatIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDir(t, dir)
	defer d.Close()
	content := func() string {
		got, err := os.ReadFile(filepath.Join(dir, "f"))
		require.NoError(t, err)
		return string(got)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o644))

	f, _ := open(t, d, "f", os.O_RDWR)
	require.NoError(t, f.Empty(), "it is not to be emptied")
	require.NoError(t, f.Close())
	require.Equal(t, "content", content())

	_, l := open(t, d, "f", os.O_RDWR)
	l.fail = errors.New("not recorded")
	f = NewFull[lock](l, "f", os.O_RDWR)
	require.ErrorIs(t, f.Empty(), l.fail)
	require.Equal(t, 1, l.closed)
	require.ErrorIs(t, f.Close(), fs.ErrClosed)
	require.Equal(t, "content", content())

	_, l = open(t, d, "f", os.O_RDWR)
	f = NewFull[lock](l, "f", os.O_RDWR)
	require.Equal(t, "content", content())
	require.NoError(t, f.Empty())
	require.Empty(t, content())
	_, err := f.WriteString("new")
	require.NoError(t, err)
	require.NoError(t, f.Empty(), "only once")
	require.Equal(t, "new", content())
	require.NoError(t, f.Close())
}

// What is copied from the start is wanted whole.
func TestCopyPrefetches(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDir(t, dir)
	defer d.Close()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o644))
	for _, from := range []int64{0, 1} {
		f, l := open(t, d, "f", os.O_RDONLY)
		_, err := f.Seek(from, io.SeekStart)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, f)
		require.NoError(t, err)
		require.Equal(t, from == 0, l.all)
		require.NoError(t, f.Close())
	}
}

func TestErrorsNameTheFileOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDir(t, dir)
	defer d.Close()
	f, l := open(t, d, "f", os.O_RDWR|os.O_CREATE)
	l.fail = &fs.PathError{Op: "open", Path: "/below/f", Err: fs.ErrPermission}
	_, err := f.Write([]byte("x"))
	require.EqualError(t, err, "write f: permission denied")
	require.EqualError(t, f.Truncate(1), "truncate f: permission denied")
	require.Equal(t, "f", f.Name())
	require.NoError(t, f.Close())
}
