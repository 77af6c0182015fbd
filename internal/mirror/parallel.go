package mirror

// How much is under way at once if Options.Parallel does not say: a large file fills a connection with a few others, a
// small one only waits for round trips. 512 of those take as many round trips for 2,000 files as 4 files would one
// after the other.
const (
	largeAtOnce = 16
	smallAtOnce = 512
	smallFile   = 64 << 10
)

// Capacity is how much may be under way at once, in the unit of Weight.
func (m *FS) Capacity() int64 {
	if m.opt.Parallel > 0 {
		return int64(m.opt.Parallel)
	}
	return smallAtOnce
}

// Weight is what the transfer of a file of that size, or any other request, takes of the Capacity.
func (m *FS) Weight(size int64) int64 {
	if m.opt.Parallel > 0 {
		return 1
	}
	return min(1+size/smallFile, smallAtOnce/largeAtOnce)
}
