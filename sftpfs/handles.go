package sftpfs

import (
	"encoding/binary"
	"slices"
)

// handles foretells which handle OpenSSH gives out next, so that what is to be done with it can be sent together with the
// request that opens it: it numbers them, and gives out again the number that was given back last (handle_new in
// sftp-server.c, unchanged since 2008).
//
// Requests that are sent in this way open, use and close their handle without another request between them. So whatever
// becomes of them, the next handle is the same one afterwards, and none that is in use is ever foretold: it may be wrong
// about a server of another make, which then gets requests about a handle that nobody has.
type handles struct {
	used    map[uint32]struct{}
	free    []uint32 // given back; the last one is given out next
	made    uint32   // numbers that were given out
	opening int      // requests, one by one, that have not been answered; each may get one
	erring  bool     // the server gives out other ones, or does not answer in order
}

// next returns the handle that the next request to open something will get; false: it can't be told.
func (h *handles) next() (string, bool) {
	if h.erring || h.opening > 0 {
		return "", false
	}
	number := h.made
	if len(h.free) > 0 {
		number = h.free[len(h.free)-1]
	}
	return string(binary.BigEndian.AppendUint32(nil, number)), true
}

// opened notes that one was given out.
func (h *handles) opened(handle string) {
	number, ok := handleNumber(handle)
	_, twice := h.used[number]
	switch i := slices.Index(h.free, number); {
	case !ok || twice:
		h.erring = true
		return
	case i >= 0:
		h.free = slices.Delete(h.free, i, i+1)
	case number == h.made:
		h.made++
	default:
		h.erring = true
		return
	}
	if h.used == nil {
		h.used = make(map[uint32]struct{})
	}
	h.used[number] = struct{}{}
}

// closed notes that one is given back.
func (h *handles) closed(handle string) {
	number, ok := handleNumber(handle)
	if _, used := h.used[number]; !ok || !used {
		h.erring = true
		return
	}
	delete(h.used, number)
	h.free = append(h.free, number)
}

func handleNumber(handle string) (uint32, bool) {
	if len(handle) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32([]byte(handle)), true
}

// send notes a request of which no part is about a handle that was foretold.
func (h *handles) send(kind byte, body []byte) {
	switch kind {
	case packetOpen, packetOpendir:
		h.opening++
	case packetClose:
		f := fields{b: body}
		h.closed(f.string())
	}
}

// answer notes the answer to a request that opens something, for which that handle was foretold, or none. It returns
// whether it may be what it was foretold to be.
func (h *handles) answer(foretold string, a reply) bool {
	if foretold == "" {
		h.opening--
	}
	switch handle, err := a.handle(); {
	case err != nil:
	case foretold == "":
		h.opened(handle)
	case handle != foretold:
		h.erring = true
		return false
	}
	return true
}
