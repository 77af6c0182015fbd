package sftpfs

import (
	"bytes"
	"fmt"
)

// Bounds of what a server lists. It goes on for as long as the server likes, and what is listed lies in memory.
const (
	// maxListing bounds a listing: the bytes that are sent of it, and entryCost for each entry and each answer, which is
	// about what it takes in memory. OpenSSH's come to 260 bytes for an entry with a name of 20, so that four million
	// of them pass.
	maxListing = 1 << 30
	entryCost  = 128
	// maxBarren is how many answers in a row may have no new entry. Servers that filter what they list send a few.
	maxBarren = 256
)

// A tally counts what a server has sent of one listing. The goroutine that reads the wire owns it.
type tally struct {
	size   int    // as maxListing counts it
	barren int    // answers in a row without a new entry
	last   []byte // the last answer
}

// add counts an answer, which is the body of a NAME packet behind the id. It returns what is wrong with it or the listing.
func (t *tally) add(body []byte, most int) error {
	f := fields{b: body}
	barren := true
	for range f.uint32() {
		name, _, err := f.entry()
		if err != nil {
			return err
		}
		t.size += entryCost
		barren = barren && (name == "." || name == "..")
	}
	if barren || bytes.Equal(body, t.last) {
		t.barren++
	} else {
		t.barren = 0
	}
	t.size += entryCost + len(body)
	t.last = body
	switch {
	case t.size > most:
		return badAnswer(fmt.Sprintf("the server lists more than %d bytes", most))
	case t.barren > maxBarren:
		return badAnswer(fmt.Sprintf("the server has listed no new entry in %d answers", t.barren))
	}
	return nil
}
