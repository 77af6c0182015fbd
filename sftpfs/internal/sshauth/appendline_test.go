package sshauth

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A line is taken back, and nothing else: not if others have written since.
func TestAppendLineTakenBack(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{"": "new\n", "old\n": "old\nnew\n", "no end": "no end\nnew\n"} {
		file := filepath.Join(t.TempDir(), "known_hosts")
		require.NoError(t, os.WriteFile(file, []byte(before), 0o600))
		takeBack, err := appendLine(file, "new\n")
		require.NoError(t, err)
		requireText(t, file, after)
		require.NoError(t, takeBack())
		requireText(t, file, before)

		takeBack, err = appendLine(file, "new\n")
		require.NoError(t, err)
		_, err = appendLine(file, "of others\n")
		require.NoError(t, err)
		require.NoError(t, takeBack())
		requireText(t, file, after+"of others\n")
	}
}

func requireText(t *testing.T, file, want string) {
	t.Helper()
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}
