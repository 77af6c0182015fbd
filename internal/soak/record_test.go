package soak

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	first, second := record("a", 1, []byte("one")), record("b", 2, nil)
	both := append(first[:len(first):len(first)], second...)
	all, err := ends(both)
	require.NoError(t, err)
	require.Equal(t, []int{len(first), len(both)}, all)
	all, err = ends(nil)
	require.NoError(t, err)
	require.Empty(t, all)
	for cut := 1; cut < len(both); cut++ {
		if cut == len(first) {
			continue
		}
		_, err := ends(both[:cut])
		require.ErrorIs(t, err, errTorn, cut)
	}
	for i := range first {
		torn := append([]byte(nil), first...)
		torn[i]++
		if all, err := ends(torn); err == nil { // the writer's name or the number
			require.Len(t, all, 1)
			require.Less(t, i, len("a 1"))
		}
	}
}
