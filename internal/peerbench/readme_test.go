package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README shows the chart by its path from there, from wherever both are named.
func TestRenewReadme(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "internal/bench"), 0o755))
	readme := filepath.Join(dir, "README.md")
	require.NoError(t, os.WriteFile(readme, []byte("before\n"+beginMark+"old\n"+endMark+"after\n"), 0o644))
	t.Chdir(filepath.Join(dir, "internal/bench"))

	b := &bench{results: results{}}
	require.NoError(t, b.renewReadme(options{readme: "../../README.md", chart: "peers.svg"}, "about\n"))
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	require.Contains(t, string(text), "before\n"+beginMark+"![Seconds over the round trip](internal/bench/peers.svg)\n\nabout\n")
	require.NotContains(t, string(text), "old")
	require.Contains(t, string(text), endMark+"after\n")

	require.NoError(t, os.WriteFile(readme, []byte("no marks\n"), 0o644))
	require.Error(t, b.renewReadme(options{readme: readme, chart: "peers.svg"}, ""))
}
