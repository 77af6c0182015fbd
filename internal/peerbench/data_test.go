package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var testItem = item{"tree", []group{{0, 2, 3 * mib / 2}, {2, 4, 100}}}

// made returns a directory with testItem in it.
func made(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, makeItem(dir, testItem))
	return filepath.Join(dir, testItem.name)
}

func TestMakeItemIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	a, b := made(t), made(t)
	require.NoError(t, compare(a, b))
	files, err := regularFiles(a)
	require.NoError(t, err)
	require.ElementsMatch(t, testItem.list(), files)
	first, err := os.ReadFile(filepath.Join(a, "g0-00000.bin"))
	require.NoError(t, err)
	second, err := os.ReadFile(filepath.Join(a, "g0-00001.bin"))
	require.NoError(t, err)
	require.NotEqual(t, first[:100], second[:100])
	info, err := os.Stat(filepath.Join(a, "g0-00000.bin"))
	require.NoError(t, err)
	require.True(t, dataTime.Equal(info.ModTime()))
}

func TestCompareSeesEverything(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(dir string) error{
		"missing": func(dir string) error { return os.Remove(filepath.Join(dir, "g0-00001.bin")) },
		"more": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "dir1-000", ".syncfs-x"), nil, 0o644)
		},
		"shorter": func(dir string) error { return os.Truncate(filepath.Join(dir, "g0-00001.bin"), 3*mib/2-1) },
		"a byte": func(dir string) error {
			f, err := os.OpenFile(filepath.Join(dir, "g0-00001.bin"), os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			b := make([]byte, 1)
			if _, err := f.ReadAt(b, 3*mib/2-1); err != nil {
				return err
			}
			b[0]++
			_, err = f.WriteAt(b, 3*mib/2-1)
			return err
		},
		"a link": func(dir string) error { return os.Symlink("g0-00001.bin", filepath.Join(dir, "link")) },
		"gone":   os.RemoveAll,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, got := made(t), made(t)
			require.NoError(t, compare(want, got))
			require.NoError(t, spoil(got))
			require.Error(t, compare(want, got))
		})
	}
}

func TestEditItem(t *testing.T) {
	t.Parallel()
	original, copied := made(t), filepath.Join(t.TempDir(), "copy")
	require.NoError(t, copyItem(original, copied))
	require.NoError(t, compare(original, copied))
	info, err := os.Stat(filepath.Join(copied, "dir1-000", "g1-00000.bin"))
	require.NoError(t, err)
	require.True(t, dataTime.Equal(info.ModTime()))

	require.NoError(t, editItem(copied, testItem, 2))
	different := 0
	for _, f := range testItem.list() {
		if compareFile(filepath.Join(original, f.name), filepath.Join(copied, f.name)) != nil {
			different++
		}
	}
	require.Equal(t, 2, different)
	files, err := regularFiles(copied)
	require.NoError(t, err)
	require.ElementsMatch(t, testItem.list(), files, "sizes stay")
}

func TestSameFiles(t *testing.T) {
	t.Parallel()
	want := []file{{"a", 1}, {"b", 2}}
	require.NoError(t, sameFiles(want, []file{{"b", 2}, {"a", 1}}))
	require.ErrorContains(t, sameFiles(want, []file{{"a", 1}}), `"b" of 2 bytes is missing`)
	require.ErrorContains(t, sameFiles(want, []file{{"b", 2}, {"a", 1}, {"a", 1}}), `"a" of 1 bytes is not expected`)
	require.Error(t, sameFiles(want, []file{{"a", 1}, {"b", 3}}))
	require.Error(t, sameFiles(want, nil))
}

func TestBlockOffsets(t *testing.T) {
	t.Parallel()
	offsets := blockOffsets(gib, 200)
	require.Equal(t, offsets, blockOffsets(gib, 200))
	far := 0
	for _, offset := range offsets {
		require.GreaterOrEqual(t, offset, int64(0))
		require.LessOrEqual(t, offset, int64(gib-blockSize))
		if offset > gib/2 {
			far++
		}
	}
	require.InDelta(t, 100, far, 30)
	require.Equal(t, []int64{0}, blockOffsets(blockSize, 1))
}

func TestDigest(t *testing.T) {
	t.Parallel()
	require.Equal(t, digest([]byte("ab"), []byte("c")), digest([]byte("ab"), []byte("c")))
	require.NotEqual(t, digest([]byte("ab"), []byte("c")), digest([]byte("a"), []byte("bc")))
}
