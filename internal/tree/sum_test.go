package tree

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A Sum is that of big numbers, as far as that fits.
func TestSum(t *testing.T) {
	t.Parallel()
	size := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64}))
	rapid.Check(t, func(t *rapid.T) {
		var s Sum
		want, added := new(big.Int), []int64{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				n := size.Draw(t, "size")
				s.Add(n)
				want.Add(want, big.NewInt(max(n, 0)))
				added = append(added, n)
			},
			"sub": func(t *rapid.T) {
				if len(added) == 0 {
					return
				}
				i := rapid.IntRange(0, len(added)-1).Draw(t, "which")
				s.Sub(added[i])
				want.Sub(want, big.NewInt(max(added[i], 0)))
				added = append(added[:i], added[i+1:]...)
			},
			"": func(t *rapid.T) {
				most := big.NewInt(math.MaxInt64)
				if want.Cmp(most) < 0 {
					most = want
				}
				require.Equal(t, most.Int64(), s.Int64())
			},
		})
	})
}
