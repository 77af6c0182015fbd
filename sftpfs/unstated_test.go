package sftpfs_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

// Files in /proc have more content than the size 0 that is stated for them.
func TestReadsWhatHasNoStatedSize(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("/proc/version")
	if err != nil {
		t.Skip("this system has no /proc/version")
	}
	cfg := openSSHConfig(opensshtest.Start(t, opensshtest.Options{}))
	cfg.Root = "/proc"
	fsys := newFs(t, cfg)
	fi, err := fsys.Stat("version")
	require.NoError(t, err)
	require.Zero(t, fi.Size())
	_, _, err = fsys.ReadVersion("version", 0, fi.ModTime())
	require.Error(t, err, "the short cut is for what was stated")

	for name, read := range map[string]func(f afero.File) ([]byte, error){
		"ReadAll": func(f afero.File) ([]byte, error) { return io.ReadAll(f) },
		"ReadAt": func(f afero.File) ([]byte, error) {
			b := make([]byte, 1<<20)
			n, err := f.ReadAt(b, 0)
			require.Equal(t, io.EOF, err)
			return b[:n], nil
		},
		"Copy": func(f afero.File) ([]byte, error) {
			var b strings.Builder
			_, err := io.Copy(&b, f)
			return []byte(b.String()), err
		},
	} {
		f, err := fsys.Open("version")
		require.NoError(t, err)
		got, err := read(f)
		require.NoError(t, err, name)
		require.Equal(t, string(want), string(got), name)
		require.NoError(t, f.Close())
	}
}
