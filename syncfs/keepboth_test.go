package syncfs

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

func TestKeptName(t *testing.T) {
	day := time.Date(2026, 3, 9, 23, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		base string
		n    int
		want string
	}{
		{"a.txt", 1, "a (conflict 2026-03-09 box).txt"},
		{"a.txt", 3, "a (conflict 2026-03-09 box 3).txt"},
		{"a", 1, "a (conflict 2026-03-09 box)"},
		{".profile", 1, ".profile (conflict 2026-03-09 box)"},
		{"a.tar.gz", 1, "a.tar (conflict 2026-03-09 box).gz"},
	} {
		require.Equal(t, c.want, keptName(c.base, day, "box", c.n))
	}
}

// A name that is too long with the mark is shortened between two characters. The extension stays.
func TestKeptNameOfALongName(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 9, 23, 0, 0, 0, time.UTC)
	for _, char := range []string{"a", "ä", "日", "🙂", "\xe4", "\x80"} {
		for _, ext := range []string{"", ".txt", ".日本", "." + strings.Repeat("x", 240)} {
			for _, size := range []int{1, 40, 200, 219, 220, 221, 222, 223, 240, 252, 253, 254, 255} {
				stem := strings.Repeat(char, max(1, (size-len(ext))/len(char)))
				base := strings.Repeat("x", max(0, size-len(ext)-len(stem))) + stem + ext
				if len(base) > maxName {
					continue
				}
				seen := map[string]bool{}
				for _, n := range []int{1, 2, maxKept} {
					got := keptName(base, day, "box", n)
					require.LessOrEqual(t, len(got), maxName)
					require.Equal(t, utf8.ValidString(base), utf8.ValidString(got), got)
					before, after, found := strings.Cut(got, " (conflict 2026-03-09 box")
					require.True(t, found, got)
					require.NotEmpty(t, before)
					require.True(t, strings.HasPrefix(base, before), got)
					if len(ext) < 100 {
						require.True(t, strings.HasSuffix(after, ")"+ext), got)
						require.Greater(t, len(got)+utf8.UTFMax, min(maxName, len(base)+len(" (conflict 2026-03-09 box)")), "no more than needed")
					}
					seen[got] = true
				}
				require.Len(t, seen, 3)
			}
		}
	}
}

// Both versions of files with the longest names are kept, although they differ only where the names are shortened.
func TestKeepBothOfLongNames(t *testing.T) {
	t.Parallel()
	r := newRig(t, &Options{Conflict: KeepBoth})
	var names []string
	for _, end := range []string{"a.txt", "b.txt", ".日本", "日本"} {
		stem := strings.Repeat("ü", (maxName-len(end))/2)
		names = append(names, strings.Repeat("x", maxName-len(end)-len(stem))+stem+end)
	}
	for _, name := range names {
		r.serve(name + ":base")
		r.append(name, "+ours")
		r.serve(name + ":theirs, longer")
	}
	r.pushes()
	texts := map[string]int{}
	for _, e := range r.served() {
		texts[e.Content]++
	}
	require.Equal(t, map[string]int{"base+ours": len(names), "theirs, longer": len(names)}, texts)
}

// Two edits of one version: the remote's keeps the name, ours gets another, here and there, and nothing is lost.
func TestKeepBothPublishesUnderAnotherName(t *testing.T) {
	remote := aferotest.OS(t.TempDir())
	day := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	s := newFs(t, remote, realDir(t), &Options{Conflict: KeepBoth,
		Cache: cachefs.Options{Now: func() time.Time { return day }}})
	write := func(fsys afero.Fs, name, content string) {
		t.Helper()
		require.NoError(t, afero.WriteFile(fsys, name, []byte(content), 0o644))
	}
	read := func(fsys afero.Fs, name string) string {
		t.Helper()
		b, err := afero.ReadFile(fsys, name)
		require.NoError(t, err)
		return string(b)
	}
	write(remote, "/a.txt", "base")
	require.Equal(t, "base", read(s, "a.txt"))
	for i, ours := range []string{"ours", "ours again"} {
		write(s, "a.txt", ours)
		theirs := []string{"theirs, longer", "theirs once more"}[i]
		write(remote, "/a.txt", theirs)

		r, err := s.Push(context.Background())
		require.NoError(t, err)
		require.Empty(t, s.Pending())
		require.Len(t, r.Results, 1)
		kept := keptName("a.txt", day, hostName(), i+1)
		require.Equal(t, kept, r.Results[0].Kept)
		for _, fsys := range []afero.Fs{s, remote} {
			require.Equal(t, theirs, read(fsys, "/a.txt"))
			require.Equal(t, ours, read(fsys, "/"+kept))
		}
	}
	names, err := afero.ReadDir(remote, "/")
	require.NoError(t, err)
	require.Len(t, names, 3, "no temporary file is left")
}

// A new file that somebody else has made meanwhile, and a rename over one that was changed.
func TestKeepBothOfNewFiles(t *testing.T) {
	remote := aferotest.OS(t.TempDir())
	s := newFs(t, remote, realDir(t), &Options{Conflict: KeepBoth})
	require.NoError(t, afero.WriteFile(remote, "/b", []byte("b"), 0o644))
	require.NoError(t, afero.WriteFile(s, "a", []byte("ours"), 0o644))
	require.NoError(t, afero.WriteFile(s, "temp", []byte("our b"), 0o644))
	require.NoError(t, s.Rename("temp", "b"))
	require.NoError(t, afero.WriteFile(remote, "/a", []byte("theirs!"), 0o644))
	require.NoError(t, afero.WriteFile(remote, "/b", []byte("their b"), 0o644))

	_, err := s.Push(context.Background())
	require.NoError(t, err)
	got, err := aferotest.Tree(remote)
	require.NoError(t, err)
	require.Len(t, got, 4)
	require.Equal(t, "theirs!", got["a"].Content)
	require.Equal(t, "their b", got["b"].Content)
	view, err := aferotest.Tree(s)
	require.NoError(t, err)
	require.Empty(t, aferotest.Diff(got, view))
}
