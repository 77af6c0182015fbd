package mirror

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Renames that lead round and round, as a log of others may have them, end somewhere.
func TestPlacesEnd(t *testing.T) {
	t.Parallel()
	for _, d := range []detours{
		{{from: "a", to: "a/b"}},
		{{from: "a", to: "b/x"}, {from: "b", to: "a/y"}},
		{{from: "a", to: "a/b"}, {from: "a", to: "a/c"}},
	} {
		require.Len(t, d.places("a/f"), mostPlaces)
	}
	require.Len(t, detours{{from: "a", to: "b"}, {from: "b", to: "a"}}.places("a/f"), 2)
}
