package sftpfs

import (
	"errors"
	"io"
	"io/fs"
)

// How many requests for more of a listing are sent together, at first and at most: OpenSSH answers each with a hundred
// entries, and the last one with the end.
const (
	fewListsTogether  = 3
	mostListsTogether = 48
)

// listShort returns the entries of the directory p in two round trips, or in few more if there are many.
func (r remote) listShort(p string) ([]fs.FileInfo, error) {
	h, err := r.openShort(packetOpendir, p, nil)
	if err != nil {
		return nil, err
	}
	defer h.release()
	entries := []fs.FileInfo{}
	for together := fewListsTogether; ; together = min(4*together, mostListsTogether) {
		requests := make([]message, together)
		for i := range requests {
			requests[i] = h.message(packetReaddir, nil)
		}
		replies, err := h.exchange(requests...)
		if err != nil {
			return nil, err
		}
		for _, reply := range replies {
			more, err := reply.entries()
			if errors.Is(err, io.EOF) {
				return entries, nil
			}
			if err != nil {
				return nil, err
			}
			entries = append(entries, more...)
		}
		if len(entries) > r.wire.maxEntries || r.ctx.Err() != nil {
			return nil, errNoShortCut // which says so
		}
	}
}
