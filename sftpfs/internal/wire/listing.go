package wire

import (
	"bytes"
	"fmt"
)

// Bounds of what a server lists. It goes on for as long as the server likes, and what is listed lies in memory.
const (
	// MaxListing is the memory in bytes that a listing may need. OpenSSH's come to 260 bytes for an entry with a name of 20, so
	// that four million of them pass.
	MaxListing = 1 << 30
	// entryCost is what each entry, and each answer, needs in memory besides the bytes that are sent, about.
	entryCost = 128
	// maxBarren is how many answers in a row may have no new entry. Servers that filter what they list send a few.
	maxBarren = 256
)

// A listing counts what a server has sent of one listing. The goroutine that reads owns it.
type listing struct {
	size   int    // bytes of memory
	barren int    // answers in a row without a new entry
	last   []byte // the last answer
}

// add counts an answer, which is the body of a NAME packet behind the id. It returns what is wrong with it or the listing.
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
