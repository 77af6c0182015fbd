package statelog

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// scanBudget bounds, in bytes, the work of anyRecord in Open. It takes about a second.
const scanBudget = 1 << 30

// candidateCost is the cost in bytes of looking at a possible length, on top of the bytes read for it.
const candidateCost = 64

// anyRecord reports whether a good record begins at or behind offset from in the first size bytes of r. It tries every
// byte, because a bad record does not tell where the next one begins. In random bytes up to one length in 16 looks
// possible, and each needs a checksum of many bytes. When the search has used up the budget, in bytes, the answer is
// true.
func anyRecord(r io.ReaderAt, from, size, budget int64) (bool, error) {
	const step = bufSize
	window := make([]byte, step+recordHeader)
	for ; from+recordHeader <= size; from += step {
		w := window[:min(int64(len(window)), size-from)]
		if _, err := r.ReadAt(w, from); err != nil {
			return false, noEOF(err)
		}
		if budget -= step; budget < 0 {
			return true, nil
		}
		for i := zeros(w); i < step && i+recordHeader <= len(w); i++ {
			end := int64(i) + recordHeader
			if !fits(payloadLength(w[i:]), size-from-end) {
				continue
			}
			start := parseStart(w[i:])
			if budget -= candidateCost + start.length; budget < 0 {
				return true, nil
			}
			ok, err := start.check(r, from+end, w[end:])
			if err != nil || ok {
				return ok, err
			}
			i += zeros(w[i+1:])
		}
	}
	return false, nil
}

// zeros returns how many bytes at the beginning of b can't be the start of a record, because only zeros follow. After a
// power failure, a file may have long runs of zeros.
func zeros(b []byte) (n int) {
	for n+recordHeader <= len(b) && binary.LittleEndian.Uint64(b[n:]) == 0 {
		n += recordHeader
	}
	return max(0, n-recordHeader)
}

// check reports whether the payload at offset off of r is the record's. near is the beginning of the payload, as far as
// it has been read.
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
