package mirror

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func TestLikelyToCome(t *testing.T) {
	t.Parallel()
	file, dir := remote.Answer{Known: tree.Exists, Kind: tree.File}, remote.Answer{Known: tree.Exists, Kind: tree.Dir}
	root := tree.New().Root()
	require.Zero(t, likelyToCome(root, nil))
	require.Equal(t, 2, likelyToCome(root, map[string]remote.Answer{"f": file, "g": file, "l": {Kind: tree.Link}}))
	require.Equal(t, 1+filesInDir, likelyToCome(root, map[string]remote.Answer{"f": file, "d": dir}))
}
