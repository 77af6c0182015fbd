package textfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	_, err := Read(file)
	require.ErrorIs(t, err, fs.ErrNotExist)
	for _, text := range []string{"", "text\n", strings.Repeat("x", 100_000)} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		got, err := Read(file)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
	require.NoError(t, os.Truncate(file, maxSize+1))
	_, err = Read(file)
	require.EqualError(t, err, "read "+file+": longer than 64 MiB")
}
