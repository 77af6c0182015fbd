package mirror

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func TestLikelyFiles(t *testing.T) {
	t.Parallel()
	file := NewInfo("f", tree.Meta{Mode: 0o644})
	dir := NewInfo("d", tree.Meta{Mode: fs.ModeDir | 0o755})
	require.Equal(t, 0, likelyFiles(nil))
	require.Equal(t, 3, likelyFiles([]Info{file, file, file}))
	require.Equal(t, 2+1+filesInDir, likelyFiles([]Info{file, file, dir}))
}
