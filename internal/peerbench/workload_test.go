package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The figures that the project has set itself.
func TestFullScale(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		files int
		bytes int64
	}{
		"down": {1, 256 * mib}, "up": {1, 256 * mib}, "small-down": {2000, 2000 * 4 * kib}, "small-up": {2000, 2000 * 4 * kib},
		"mixed-down": {1020, 20*8*mib + 1000*20*kib}, "mixed-up": {1020, 20*8*mib + 1000*20*kib},
		"walk": {10_000, 10_000 * kib}, "reads": {1, gib}, "first": {1, gib}, "cached": {2000, 2000 * 4 * kib},
		"edits": {10_000, 10_000 * kib},
	}
	for _, load := range fullScale.workloads() {
		require.Len(t, load.item.list(), want[load.name].files, load.name)
		require.Equal(t, want[load.name].bytes, load.item.bytes(), load.name)
		require.Equal(t, want[load.name].files == 1, load.item.isFile(), load.name)
		delete(want, load.name)
	}
	require.Empty(t, want)
	require.Equal(t, 100, edited(10_000))
	require.Equal(t, 1, edited(10))
}

func TestItemList(t *testing.T) {
	t.Parallel()
	require.Equal(t, []file{{"", 7}}, item{"f", []group{{0, 1, 7}}}.list())
	require.Equal(t, []file{{"g0-00000.bin", 5}, {"dir1-000/g1-00000.bin", 6}, {"dir1-001/g1-00001.bin", 6}, {"dir1-000/g1-00002.bin", 6}},
		item{"t", []group{{0, 1, 5}, {2, 3, 6}}}.list())
}

func TestTitles(t *testing.T) {
	t.Parallel()
	require.Equal(t, "1 GiB", sizeText(gib))
	require.Equal(t, "256 MiB", sizeText(256*mib))
	require.Equal(t, "20 KiB", sizeText(20*kib))
	require.Equal(t, "999", countText(999))
	require.Equal(t, "10,000", countText(10_000))
	require.Equal(t, "999,999", countText(999_999))
	require.Equal(t, "1,000,000", countText(1_000_000))
}

func TestPick(t *testing.T) {
	t.Parallel()
	all := []string{"a", "b", "c"}
	same := func(s string) string { return s }
	for names, want := range map[string][]string{"": all, "c, a": {"a", "c"}, "b": {"b"}} {
		picked, err := pick(all, same, names)
		require.NoError(t, err)
		require.Equal(t, want, picked)
	}
	_, err := pick(all, same, "a,x")
	require.EqualError(t, err, `"x" is none of a, b, c`)
}
