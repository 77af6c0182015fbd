package download

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Spans are what a set of offsets is.
func TestSpans(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const size = 40
		var s spans
		var here [size + 1]bool
		for range rapid.IntRange(0, 12).Draw(t, "spans") {
			from := rapid.Int64Range(0, size).Draw(t, "from")
			to := rapid.Int64Range(0, size).Draw(t, "to")
			before := append(spans(nil), s...)
			more := s.with(span{from, to})
			require.Equal(t, before, append(spans(nil), s...), "with leaves s alone")
			s = more
			for i := from; i < to; i++ {
				here[i] = true
			}
			for i := 1; i < len(s); i++ {
				require.Less(t, s[i-1].to, s[i].from)
			}
		}
		for off := range int64(size) {
			end, next := off, off+1
			for here[end] {
				end++
			}
			require.Equal(t, end, s.end(off), "end from %d in %v", off, s)
			for next < size && (!here[next] || here[next-1]) {
				next++
			}
			require.Equal(t, next, s.next(off, size), "next from %d in %v", off, s)
		}
	})
}
