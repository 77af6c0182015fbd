package syncfs

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
)

// A server that states no sizes gets what was written, and is seen to have it.
func TestPushWhereNoSizesAreStated(t *testing.T) {
	t.Parallel()
	served := aferotest.OS(t.TempDir())
	require.NoError(t, afero.WriteFile(served, "theirs", []byte("theirs"), 0o644))
	s, err := New(remotetest.Sizeless{Fs: served}, realDir(t), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	large := strings.Repeat("large", 100_000)
	require.NoError(t, afero.WriteFile(s, "new", []byte("new"), 0o644))
	require.NoError(t, afero.WriteFile(s, "large", []byte(large), 0o644))
	require.NoError(t, afero.WriteFile(s, "empty", nil, 0o644))
	f, err := s.OpenFile("theirs", os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.WriteString(" and ours")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = s.Push(context.Background())
	require.NoError(t, err)
	for name, want := range map[string]string{"new": "new", "large": large, "empty": "", "theirs": "theirs and ours"} {
		got, err := afero.ReadFile(served, name)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		got, err = afero.ReadFile(s, name)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		require.NoError(t, s.Evict(name))
		got, err = afero.ReadFile(s, name)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	require.Empty(t, s.Pending())
}
