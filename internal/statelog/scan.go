package statelog

import (
	"hash/crc32"
	"io"
)

// scanBudget bounds what anyRecord reads to check lengths that turn out to be none, in bytes: a fraction of a second.
const scanBudget = 1 << 30

// anyRecord reports whether a good record begins at or behind offset from in the first size bytes of r. It tries
// every byte, since a bad record says nothing about where the next one begins. In random bytes one length in a
// hundred may look possible, each with long bytes to check; when that has cost scanBudget the answer is true.
func anyRecord(r io.ReaderAt, from, size int64) (bool, error) {
	const step = bufSize
	window := make([]byte, step+recordHeader)
	budget := int64(scanBudget)
	for ; from+recordHeader <= size; from += step {
		w := window[:min(int64(len(window)), size-from)]
		if _, err := r.ReadAt(w, from); err != nil {
			return false, noEOF(err)
		}
		for i := 0; i < step && i+recordHeader <= len(w); i++ {
			end := int64(i) + recordHeader
			if !fits(payloadLength(w[i:]), size-from-end) {
				continue
			}
			start := parseStart(w[i:])
			if budget -= start.length; budget < 0 {
				return true, nil
			}
			ok, err := start.check(r, from+end, w[end:])
			if err != nil || ok {
				return ok, err
			}
		}
	}
	return false, nil
}

// check reports whether the payload at offset off of r is the record's; near is the beginning of what is there, as
// far as it has been read.
func (s recordStart) check(r io.ReaderAt, off int64, near []byte) (bool, error) {
	if s.length <= int64(len(near)) {
		return s.holds(near[:s.length]), nil
	}
	crc := s.crc
	buf := make([]byte, min(s.length, bufSize))
	for left := s.length; left > 0; {
		b := buf[:min(left, int64(len(buf)))]
		if _, err := r.ReadAt(b, off); err != nil {
			return false, noEOF(err)
		}
		crc = crc32.Update(crc, castagnoli, b)
		off += int64(len(b))
		left -= int64(len(b))
	}
	return crc == s.sum, nil
}
