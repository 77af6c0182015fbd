package wire

import (
	"bytes"
	"fmt"
)

// Bounds for a listing, which a server could continue forever, and which is kept in memory.
const (
	// MaxListing is the maximum memory of a listing, in bytes. OpenSSH's listings need 260 bytes for an entry with a
	// name of 20 bytes, so four million of these fit.
	MaxListing = 1 << 30
	// entryCost is roughly how many bytes of memory each entry, and each answer, needs besides the bytes sent.
	entryCost = 128
	// maxBarren is how many consecutive answers may have no new entry. Servers that filter their listings send a few of
	// these.
	maxBarren = 256
)

// A listing counts what a server has sent of one listing. It belongs to the goroutine that reads.
type listing struct {
	size   int    // bytes of memory
	barren int    // consecutive answers without a new entry
	last   []byte // the last answer
}

// add counts an answer. body is that of a NAME packet, after the id. add returns an error if the answer or the listing
// is invalid.
func (l *listing) add(body []byte, maxSize int) error {
	f := fields{b: body}
	barren := true
	for range f.uint32() {
		name, _, err := f.entry()
		if err != nil {
			return err
		}
		l.size += entryCost
		barren = barren && isDot(name)
	}
	if barren || bytes.Equal(body, l.last) {
		l.barren++
	} else {
		l.barren = 0
	}
	l.size += entryCost + len(body)
	l.last = body
	switch {
	case l.size > maxSize:
		return BadAnswer(fmt.Sprintf("the server lists more than %d bytes", maxSize))
	case l.barren > maxBarren:
		return BadAnswer(fmt.Sprintf("the server has listed no new entry in %d answers", l.barren))
	}
	return nil
}
