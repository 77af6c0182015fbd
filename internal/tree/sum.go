package tree

import (
	"math"
	"math/bits"
)

// Sum is an exact sum of sizes. It can't overflow, whatever sizes a server or a record claims. The zero value is 0.
type Sum struct{ high, low uint64 }

// Add adds a size. A negative size, which no file has, counts as 0.
func (s *Sum) Add(size int64) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, uint64(max(size, 0)), 0)
	s.high += carry
}

// Sub subtracts a size that was added before.
func (s *Sum) Sub(size int64) {
	var borrow uint64
	s.low, borrow = bits.Sub64(s.low, uint64(max(size, 0)), 0)
	s.high -= borrow
}

// Int64 returns the sum, but at most math.MaxInt64.
func (s Sum) Int64() int64 {
	if s.high > 0 || s.low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(s.low)
}
