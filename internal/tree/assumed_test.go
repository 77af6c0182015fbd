package tree

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is assumed of a directory is known once the remote has shown that it has something there.
func TestAssumedDirectoryIsAdopted(t *testing.T) {
	t.Parallel()
	tr := New()
	assumed := tr.Assume(tr.Root(), "d", Meta{}, 1)
	require.True(t, assumed.Assumed())
	tr.Discover(assumed, "f", File, Meta{}, 1)
	require.False(t, assumed.Assumed())
	require.Equal(t, Exists, assumed.Known)

	made := tr.Create(tr.Root(), "made", Dir, Meta{}, Absent, 1)
	tr.Adopt(made)
	require.Equal(t, Unknown, made.Known, "it is made here")
	require.False(t, tr.Root().Assumed())
	queued := tr.Assume(tr.Root(), "queued", Meta{}, 1)
	tr.Note(queued, 1).Explicit = true
	tr.Adopt(queued)
	require.Equal(t, Unknown, queued.Known, "the program has made it, too")
}
