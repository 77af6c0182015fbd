package download

import (
	"cmp"
	"slices"
)

// span is a part of a file; to is exclusive.
type span struct{ from, to int64 }

// spans are parts of a file, sorted, with gaps between them.
type spans []span

// with returns s with one more span, which may overlap others.
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

// end returns the end of the span that contains off; off itself if there is none.
func (s spans) end(off int64) int64 {
	for _, e := range s {
		if e.from <= off && off < e.to {
			return e.to
		}
	}
	return off
}

// next returns the start of the first span behind off, but at most limit.
func (s spans) next(off, limit int64) int64 {
	for _, e := range s {
		if e.from > off {
			return min(e.from, limit)
		}
	}
	return limit
}

// behind returns how many bytes the spans have from off on.
func (s spans) behind(off int64) (n int64) {
	for _, e := range s {
		n += max(0, e.to-max(e.from, off))
	}
	return n
}
