package localdir

import (
	"io"
	"os"
	"path/filepath"
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
