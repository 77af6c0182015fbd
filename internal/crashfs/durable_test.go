package crashfs_test

import (
	"io"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
)

func TestCrashKeepsAttributesThatWereSynced(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	first, second := time.Unix(1000, 0), time.Unix(2000, 0)
	d.write("f", "abc")
	require.NoError(t, d.Chmod("f", 0o600))
	require.NoError(t, d.Chtimes("f", first, first))
	d.sync("f", "/")
	require.NoError(t, d.Chmod("f", 0o640))
	require.NoError(t, d.Chtimes("f", second, second))
	fi, err := d.Crash().Stat("f")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), fi.Mode())
	require.True(t, first.Equal(fi.ModTime()))
}

func TestCrashLeavesOpenFilesBehind(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	d.write("f", "abc")
	d.sync("f", "/")
	f, err := d.OpenFile("f", os.O_RDWR, 0)
	require.NoError(t, err)
	left := d.Crash()
	_, err = f.WriteString("XYZ")
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
	require.Equal(t, files{"f": "abc"}, tree(t, left))
	require.Equal(t, files{"f": "XYZ"}, tree(t, d))
}

// TestBufferIsTheCallers reuses a buffer before Sync, as io.Copy does.
func TestBufferIsTheCallers(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	f, err := d.Create("f")
	require.NoError(t, err)
	buf := []byte("abc")
	_, err = f.Write(buf)
	require.NoError(t, err)
	copy(buf, "XYZ")
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
	d.sync("/")
	require.Equal(t, files{"f": "abc"}, tree(t, d.Crash()))
}

func TestCrashAfterCrash(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	d.write("f", "abc")
	d.sync("f", "/")
	left := disk{d.Crash(), t}
	left.through("f", 0, "XYZ")
	require.Equal(t, files{"f": "XYZ"}, tree(t, left))
	require.Equal(t, files{"f": "abc"}, tree(t, left.Crash()), "what is on disk is no part of the cache")
}

func TestSeekOfADirectoryStartsOver(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	d.mkdir("a")
	f, err := d.Open("/")
	require.NoError(t, err)
	for _, want := range [][]string{{"a"}, {"a", "b"}} {
		names, err := f.Readdirnames(-1)
		require.NoError(t, err)
		require.Equal(t, want, names)
		_, err = f.Seek(0, io.SeekStart)
		require.NoError(t, err)
		if len(want) == 1 {
			d.mkdir("b")
		}
	}
	require.NoError(t, f.Close())
}

func TestLargestFile(t *testing.T) {
	t.Parallel()
	f, err := crashfs.New(nil).Create("f")
	require.NoError(t, err)
	require.Error(t, f.Truncate(1<<60))
	_, err = f.WriteAt([]byte("x"), 1<<62)
	require.Error(t, err)
	fi, err := f.Stat()
	require.NoError(t, err)
	require.Zero(t, fi.Size())
	require.NoError(t, f.Close())
}
