package cachefs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFetchAndPullReportProgress(t *testing.T) {
	t.Parallel()
	var seen []Progress
	w := newWorld(t, Options{Progress: func(p Progress) { seen = append(seen, p) }})
	w.put("d/a", strings.Repeat("a", 1000))
	w.put("d/b", strings.Repeat("b", 2000))
	w.put("d/e/c", strings.Repeat("c", 3000))
	require.NoError(t, w.fs.Fetch(t.Context(), "d/b"))
	require.Equal(t, Progress{Op: "fetch", Done: 1, Total: 1, Bytes: 2000, TotalBytes: 2000}, seen[len(seen)-1])
	seen = nil
	require.NoError(t, second(w.fs.Pull(t.Context(), "d")))
	require.Equal(t, Progress{Op: "pull", Done: 3, Total: 3, Bytes: 6000, TotalBytes: 6000}, seen[len(seen)-1])
	for _, p := range seen {
		require.LessOrEqual(t, p.Done, p.Total)
		require.LessOrEqual(t, p.Bytes, p.TotalBytes)
	}
	seen = nil
	require.Error(t, w.fs.Fetch(t.Context(), "nothing"))
	require.Equal(t, []Progress{{Op: "fetch"}}, seen)
}
