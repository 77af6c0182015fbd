package localdir

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// pathed is a wrapper that passes on the path as well.
type pathed struct {
	afero.Fs
	path string
}

func (p pathed) RealPath(name string) (string, error) { return filepath.Join(p.path, name), nil }

// wrappedFiles is a wrapper that sees what is done to files.
type wrappedFiles struct{ *afero.OsFs }

type wrappedFile struct{ afero.File }

func (w wrappedFiles) Open(name string) (afero.File, error) {
	f, err := w.OsFs.Open(name)
	return wrappedFile{f}, err
}

func (w wrappedFiles) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	f, err := w.OsFs.OpenFile(name, flag, perm)
	return wrappedFile{f}, err
}

// elsewhere is a wrapper that shows another directory.
type elsewhere struct {
	*afero.OsFs
	dir string
}

func (e elsewhere) Open(string) (afero.File, error) { return e.OsFs.Open(e.dir) }

// TestReal checks which Fs are served through os.Root: the calls on any other belong to that Fs.
func TestReal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sub := filepath.Join(dir, "sub")
	require.NoError(t, os.Mkdir(sub, 0o755))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	memory := afero.NewMemMapFs()
	require.NoError(t, memory.MkdirAll(dir, 0o755))

	for _, tt := range []struct {
		name string
		fsys afero.Fs
		real bool
		path string
	}{
		{"base path", osDir(dir), true, dir},
		{"base path that is a link", osDir(link), true, link},
		{"wrapper", hidden{osDir(dir)}, false, "BasePathFs"},
		{"wrapper with a path", pathed{osDir(dir), dir}, false, "BasePathFs"},
		{"base path in memory, of a path that is real too", afero.NewBasePathFs(memory, dir), false, "BasePathFs"},
		{"base path on a base path", afero.NewBasePathFs(osDir(dir), "sub"), false, "BasePathFs"},
		{"base path on a wrapper", afero.NewBasePathFs(hidden{afero.NewOsFs()}, dir), false, "BasePathFs"},
		{"base path on a wrapper of files", afero.NewBasePathFs(wrappedFiles{&afero.OsFs{}}, dir), false, "BasePathFs"},
		{"base path on another directory", afero.NewBasePathFs(elsewhere{&afero.OsFs{}, sub}, dir), false, "BasePathFs"},
		{"base path on layers", afero.NewBasePathFs(afero.NewCopyOnWriteFs(afero.NewOsFs(), afero.NewOsFs()), dir), false, "BasePathFs"},
		{"memory", afero.NewMemMapFs(), false, "MemMapFS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Open(tt.fsys)
			require.NoError(t, err)
			defer d.Close()
			require.Equal(t, tt.real, d.Real())
			require.Equal(t, tt.path, d.Name())
		})
	}
}

// TestRelativeBasePath checks a base path that is relative, with which afero itself finds nothing but hidden names.
func TestRelativeBasePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	d := open(t, osDir("."))
	require.True(t, d.Real())
	write(t, d, "file", "content")
	require.Equal(t, "content", read(t, d, "file"))
}

// TestOsFs only looks: it proves the root of the file system without making StateDir there.
func TestOsFs(t *testing.T) {
	t.Parallel()
	r := openReal(afero.NewOsFs())
	require.NotNil(t, r)
	defer r.close()
	local, err := filepath.Rel(r.path, t.TempDir())
	require.NoError(t, err)
	info, err := r.lstat(local)
	require.NoError(t, err)
	require.True(t, info.IsDir())
}
