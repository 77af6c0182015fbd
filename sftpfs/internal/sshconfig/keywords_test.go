package sshconfig

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// No keyword that ssh knows is in none of the lists, or in two.
func TestKeywords(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, keyword := range keywords {
		key := strings.ToLower(keyword)
		require.False(t, seen[key], keyword)
		seen[key] = true
	}
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip(err)
	}
	out, err := exec.Command(program, "-F", "none", "-G", "h").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		keyword, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(line)), " ")
		require.True(t, seen[keyword] || keyword == "host" || keyword == "", keyword)
	}
}
