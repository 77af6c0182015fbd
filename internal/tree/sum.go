package tree

import (
	"math"
	"math/bits"
)

// Sum is an exact sum of sizes, each of which may be as large as a server or a record says. The zero value is 0.
type Sum struct{ high, low uint64 }

// Add adds a size. One below zero, which no file has, counts as none.
func (s *Sum) Add(size int64) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, uint64(max(size, 0)), 0)
	s.high += carry
}

// Sub takes away a size that was added.
func (s *Sum) Sub(size int64) {
	var borrow uint64
	s.low, borrow = bits.Sub64(s.low, uint64(max(size, 0)), 0)
	s.high -= borrow
}

// Int64 is the sum, or the largest number that there is if that is less.
func (s Sum) Int64() int64 {
	if s.high > 0 || s.low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(s.low)
}
