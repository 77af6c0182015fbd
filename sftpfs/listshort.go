package sftpfs

import (
	"errors"
	"io"
	"io/fs"
	"slices"
)

// How many requests for more of a listing are sent together, at first and where that is not all: OpenSSH answers each with
// a hundred entries, and the last one with the end.
const (
	fewListsTogether  = 8
	manyListsTogether = 64
)

// listShort returns the entries of the directory p in one round trip, or in few more if there are many.
func (r remote) listShort(p string) ([]fs.FileInfo, error) {
	replies, err := r.use(packetOpendir, p, nil, readdirs(fewListsTogether)...)
	if err != nil {
		return nil, err
	}
	entries, err := entriesOf(replies)
	if errors.Is(err, io.EOF) {
		return entries, nil
	}
	if err != nil {
		return nil, err
	}
	return r.listLong(p)
}

// listLong is listShort where there are many.
func (r remote) listLong(p string) ([]fs.FileInfo, error) {
	h, err := r.openShort(r.opening(packetOpendir, p, nil))
	if err != nil {
		return nil, err
	}
	defer h.release()
	entries := []fs.FileInfo{}
	for r.ctx.Err() == nil {
		requests := readdirs(manyListsTogether)
		for i, m := range requests {
			requests[i] = m.about(h.handle)
		}
		replies, err := h.exchange(requests...)
		if err != nil {
			return nil, err
		}
		more, err := entriesOf(replies)
		entries = append(entries, more...)
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, r.ctx.Err()
}

// readdirs returns requests for so many parts of a listing.
func readdirs(n int) []message {
	return slices.Repeat([]message{{kind: packetReaddir, ofOpened: true}}, n)
}

// entriesOf returns the entries in parts of a listing, and io.EOF if that ends in them.
func entriesOf(replies []reply) ([]fs.FileInfo, error) {
	entries := []fs.FileInfo{}
	for _, reply := range replies {
		more, err := reply.entries()
		if err != nil {
			return entries, err
		}
		entries = append(entries, more...)
	}
	return entries, nil
}
