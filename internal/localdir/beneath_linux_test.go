package localdir

import (
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Files are opened in one step as os.Root opens them in several, links and all.
func TestOpenBeneathIsOpenInRoot(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a/b"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a/b/file"), []byte("text"), 0o600))
	for link, target := range map[string]string{
		"inside": "a/b/file", "dir": "a", "up": "a/../a/b/file", "out": filepath.Join(outside, "secret"),
		"a/out": "../../" + filepath.Base(outside) + "/secret", "parent": "..", "outdir": outside, "loop": "loop",
		"nowhere": "missing", "proc": "/proc/self/exe", "absolute": filepath.Join(dir, "a/b/file"),
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(dir, link)))
	}
	d, err := Open(osDir(dir))
	require.NoError(t, err)
	defer d.Close()
	real := d.backend.(*realDir)
	_, err = real.beneath.open("a/b/file")
	if err != nil {
		t.Skipf("this kernel does not open beneath: %v", err)
	}
	for _, name := range []string{"a/b/file", "inside", "dir/b/file", "up", "out", "a/out", "parent/" + filepath.Base(dir) + "/a/b/file",
		"outdir/secret", "loop", "nowhere", "proc", "absolute", "a", "a/b/missing", "a/b/file/below"} {
		read := func() (string, error) {
			f, err := d.OpenFile(name, os.O_RDONLY, 0)
			if err != nil {
				return "", err
			}
			defer f.Close()
			text, err := io.ReadAll(io.NewSectionReader(f, 0, 100))
			return string(text), err
		}
		got, gotErr := read()
		beneath := real.beneath
		real.beneath = nil
		want, wantErr := read()
		real.beneath = beneath
		require.Equal(t, want, got, name)
		require.Equal(t, wantErr, gotErr, name)
		require.NotEqual(t, "secret", got)
	}
	require.NoError(t, d.Close())
	_, err = real.beneath.open("a/b/file")
	require.Error(t, err, "after Close")
}

// Whatever is there is described, renamed and made as os.Root does it.
func TestBeneathIsInRoot(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600))
	prepare := func(useBeneath bool) (*Dir, string) {
		dir := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "a/b"), 0o755))
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "empty"), 0o755))
		for name, mode := range map[string]os.FileMode{"a/b/file": 0o640, "suid": 0o4755, "sticky": 0o1777, "none": 0} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o600))
			require.NoError(t, syscall.Chmod(filepath.Join(dir, name), uint32(mode)))
		}
		require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
		listener, err := net.Listen("unix", filepath.Join(dir, "socket"))
		require.NoError(t, err)
		t.Cleanup(func() { listener.Close() })
		for link, target := range map[string]string{"inside": "a/b/file", "dir": "a", "out": outside, "loop": "loop",
			"nowhere": "missing"} {
			require.NoError(t, os.Symlink(target, filepath.Join(dir, link)))
		}
		d, err := Open(osDir(dir))
		require.NoError(t, err)
		t.Cleanup(func() { d.Close() })
		real := d.backend.(*realDir)
		if real.beneath == nil {
			t.Skip("this kernel does not open beneath")
		}
		if !useBeneath {
			real.beneath.close()
			real.beneath = nil
		}
		return d, dir
	}
	fast, fastDir := prepare(true)
	slow, slowDir := prepare(false)

	for _, name := range []string{".", "a", "a/b", "a/b/file", "suid", "sticky", "none", "fifo", "socket", "inside", "dir", "dir/b/file",
		"out", "out/secret", "loop", "loop/x", "nowhere", "nowhere/x", "missing", "missing/x", "a/b/file/below"} {
		got, gotErr := fast.Lstat(name)
		want, wantErr := slow.Lstat(name)
		require.Equal(t, wantErr, gotErr, name)
		require.Equal(t, []any{want.Name, want.Mode, want.IsDir()}, []any{got.Name, got.Mode, got.IsDir()}, name)
		if want.Mode.IsRegular() && wantErr == nil {
			require.Equal(t, want.Stamp.Size, got.Stamp.Size, name)
			fi, err := os.Stat(filepath.Join(fastDir, name))
			require.NoError(t, err)
			require.Equal(t, realInfo(got.Name, fi), got, name)
		}
	}

	for _, names := range [][2]string{{"suid", "new"}, {"new", "sticky"}, {"none", "dir/none"}, {"dir/none", "a/b/none"}, {"a/b/none", "empty"},
		{"a", "empty"}, {"a/b", "file/below"}, {"missing", "x"}, {"inside", "renamed"}, {"sticky", "out/x"}, {"out/secret", "x"},
		{"sticky", "loop/x"}, {"a", "c"}, {"c", "c/d"}, {"fifo", "empty/fifo"}, {"sticky", "nowhere"}} {
		require.Equal(t, slow.Rename(names[0], names[1]), fast.Rename(names[0], names[1]), names)
	}
	require.NoFileExists(t, filepath.Join(outside, "x"))

	for _, name := range []string{"made", "empty/made", "nowhere", "renamed", "out/made", "missing/made", "loop", "empty"} {
		create := func(d *Dir) error {
			f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte("text and more"), 1)
			require.NoError(t, err)
			require.NoError(t, f.Truncate(5))
			b := make([]byte, 9)
			n, err := f.ReadAt(b, 0)
			require.Equal(t, "\x00text", string(b[:n]))
			require.Equal(t, io.EOF, err)
			require.NoError(t, f.Sync())
			return f.Close()
		}
		require.Equal(t, create(slow), create(fast), name)
	}
	require.NoFileExists(t, filepath.Join(outside, "made"))

	trees := make([]map[string]string, 2)
	for i, dir := range []string{fastDir, slowDir} {
		trees[i] = map[string]string{}
		require.NoError(t, filepath.WalkDir(dir, func(p string, e fs.DirEntry, _ error) error {
			fi, err := e.Info()
			trees[i][strings.TrimPrefix(p, dir)] = fi.Mode().String()
			return err
		}))
	}
	require.Equal(t, trees[1], trees[0])
}
