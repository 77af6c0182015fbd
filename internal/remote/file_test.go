package remote

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// An Fs may name an open file anew when it is renamed; a handle keeps the name it was opened with.
func TestFileKeepsItsName(t *testing.T) {
	t.Parallel()
	base := afero.NewMemMapFs()
	require.NoError(t, afero.WriteFile(base, "/d/a", nil, 0o644))
	f, err := base.Open("/d/a")
	require.NoError(t, err)
	r := NewFile(f, "d/a", nil)
	require.NoError(t, base.Rename("/d/a", "/d/b"))
	fi, err := r.Stat()
	require.NoError(t, err)
	require.Equal(t, "a", fi.Name())
	require.Equal(t, "d/a", r.Name())
	require.NoError(t, r.Close())
}

// quickFile copies in its own way.
type quickFile struct {
	afero.File
	copied int
}

func (f *quickFile) WriteTo(w io.Writer) (int64, error) {
	f.copied++
	return io.Copy(w, struct{ io.Reader }{f.File})
}

func (f *quickFile) ReadFrom(r io.Reader) (int64, error) {
	f.copied++
	return io.Copy(struct{ io.Writer }{f.File}, r)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestFileCopies(t *testing.T) {
	t.Parallel()
	for _, quick := range []bool{false, true} {
		base := aferotest.OS(t.TempDir())
		f, err := base.OpenFile("/f", os.O_RDWR|os.O_CREATE, 0o644)
		require.NoError(t, err)
		q := &quickFile{File: f}
		r := NewFile(f, "f", nil)
		if quick {
			r = NewFile(q, "f", nil)
		}
		n, err := r.ReadFrom(strings.NewReader("content"))
		require.NoError(t, err)
		require.EqualValues(t, 7, n)
		_, err = r.Seek(3, io.SeekStart)
		require.NoError(t, err)
		var got strings.Builder
		n, err = r.WriteTo(&got)
		require.NoError(t, err)
		require.EqualValues(t, 4, n)
		require.Equal(t, "tent", got.String())
		require.Equal(t, quick, q.copied == 2)

		// An error of the other side is not one of the file.
		other := errors.New("of the other side")
		_, err = r.ReadFrom(failing{other})
		require.Equal(t, other, err)
		_, err = r.Seek(0, io.SeekStart)
		require.NoError(t, err)
		_, err = r.WriteTo(failing{other})
		require.Equal(t, other, err)

		require.NoError(t, r.Close())
		for _, call := range []func() error{
			func() error { _, err := r.ReadFrom(strings.NewReader("x")); return err },
			func() error { _, err := r.WriteTo(io.Discard); return err },
		} {
			err := call()
			require.ErrorIs(t, err, fs.ErrClosed)
			require.ErrorContains(t, err, " f: ")
		}
	}
}

// Errors name the operation and the name that the file was opened with, and Close tells once that it is over.
func TestFileNamesItselfInErrors(t *testing.T) {
	t.Parallel()
	base := aferotest.OS(t.TempDir())
	require.NoError(t, base.Mkdir("/d", 0o755))
	require.NoError(t, afero.WriteFile(base, "/d/f", []byte("content"), 0o644))
	f, err := base.Open("/d/f")
	require.NoError(t, err)
	closed := 0
	r := NewFile(f, "opened", func() { closed++ })
	p := make([]byte, 3)
	n, err := r.ReadAt(p, 2)
	require.NoError(t, err)
	require.Equal(t, "nte", string(p[:n]))
	_, err = r.ReadAt(p, 6)
	require.Equal(t, io.EOF, err)
	require.NoError(t, r.Sync())
	for op, call := range map[string]func() error{
		"write":    func() error { _, err := r.Write(p); return err },
		"readdir":  func() error { _, err := r.Readdir(-1); return err },
		"truncate": func() error { return r.Truncate(1) },
	} {
		err := call()
		require.ErrorContains(t, err, op+" opened: ")
		require.NotContains(t, err.Error(), "/d/f")
	}
	require.NoError(t, r.Close())
	require.Error(t, r.Close())
	require.Equal(t, 1, closed)
	for op, call := range map[string]func() error{
		"read":     func() error { _, err := r.Read(p); return err },
		"readdir":  func() error { _, err := r.Readdirnames(-1); return err },
		"seek":     func() error { _, err := r.Seek(0, 0); return err },
		"stat":     func() error { _, err := r.Stat(); return err },
		"sync":     func() error { return r.Sync() },
		"truncate": func() error { return r.Truncate(0) },
		"write":    func() error { _, err := r.WriteAt(p, 0); return err },
	} {
		err := call()
		require.ErrorIs(t, err, fs.ErrClosed, op)
		require.ErrorContains(t, err, op+" opened: ")
	}
	_, err = r.WriteString("x")
	require.ErrorIs(t, err, fs.ErrClosed)

	dir, err := base.Open("/d")
	require.NoError(t, err)
	r = NewFile(dir, "d", nil)
	entries, err := r.ReadDir(-1)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.NoError(t, r.Close())
}

// versions reads small files whole.
type versions struct{ afero.Fs }

func (v versions) ReadVersion(name string, size int64, mtime time.Time) ([]byte, fs.FileInfo, error) {
	fi, err := v.Stat(name)
	if err == nil && (fi.Size() != size || !fi.ModTime().Equal(mtime)) {
		err = errors.New("another version")
	}
	if err != nil {
		return nil, nil, err
	}
	content, err := afero.ReadFile(v.Fs, name)
	return content, fi, err
}

func TestOpenVersion(t *testing.T) {
	t.Parallel()
	base := aferotest.OS(t.TempDir())
	require.NoError(t, afero.WriteFile(base, "/small", []byte("content"), 0o644))
	require.NoError(t, afero.WriteFile(base, "/large", make([]byte, HeadSize+1), 0o644))
	r := New(t.Context(), versions{base})
	for name, whole := range map[string]bool{"small": true, "large": false} {
		known := r.Ask(name).Meta
		for version, expected := range map[tree.Meta]bool{
			known: whole,
			{}:    false,
			{Size: known.Size, MTime: known.MTime + 1}: false,
		} {
			f, err := r.OpenVersion(name, version)
			require.NoError(t, err)
			_, isWhole := f.(WholeFile)
			require.Equal(t, expected, isWhole, "%s, %+v", name, version)
			fi, err := f.Stat()
			require.NoError(t, err)
			require.Equal(t, known.Size, fi.Size())
			require.Equal(t, name, fi.Name())
			content, err := io.ReadAll(f)
			require.NoError(t, err)
			require.EqualValues(t, known.Size, len(content))
			require.NoError(t, f.Close())
		}
	}
	_, err := r.OpenVersion("none", tree.Meta{Size: 1, MTime: 1})
	require.ErrorIs(t, err, fs.ErrNotExist)
}
