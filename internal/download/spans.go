package download

import (
	"cmp"
	"slices"
)

// span is a part of a file, to excluded.
type span struct{ from, to int64 }

// spans are parts of a file, sorted, with gaps between them.
type spans []span

// with is s and one more span, which may overlap those that are there.
func (s spans) with(more span) spans {
	if more.from >= more.to {
		return s
	}
	first, _ := slices.BinarySearchFunc(s, more.from, func(e span, from int64) int { return cmp.Compare(e.to, from) })
	last := first
	for ; last < len(s) && s[last].from <= more.to; last++ {
		more.from, more.to = min(more.from, s[last].from), max(more.to, s[last].to)
	}
	return slices.Replace(slices.Clone(s), first, last, more)
}

// end is where the span ends that holds off; off itself if none does.
func (s spans) end(off int64) int64 {
	for _, e := range s {
		if e.from <= off && off < e.to {
			return e.to
		}
	}
	return off
}

// next is where the first span behind off begins, or limit.
func (s spans) next(off, limit int64) int64 {
	for _, e := range s {
		if e.from > off {
			return min(e.from, limit)
		}
	}
	return limit
}

// behind is how many bytes the spans have from off on.
func (s spans) behind(off int64) (n int64) {
	for _, e := range s {
		n += max(0, e.to-max(e.from, off))
	}
	return n
}
