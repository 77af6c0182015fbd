package sftpfs

import (
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// How many requests for entries are pipelined, at first and if those were not enough. OpenSSH answers each with a
// hundred entries, and the last one with the end.
const (
	fewReadDirs  = 8
	manyReadDirs = 64
)

// listPipelined returns the entries of the directory p, in one round trip, or in a few more if there are many.
func (r remote) listPipelined(p string) ([]fs.FileInfo, error) {
	if err := r.canPipeline(r.seemsInOrder); err != nil {
		return nil, err
	}
	replies, _, err := r.use(wire.OpenDir(r.on(p)), readDirs(fewReadDirs)...)
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
	return r.listMany(p)
}

// listMany is listPipelined for a directory with many entries.
func (r remote) listMany(p string) ([]fs.FileInfo, error) {
	h, err := r.openHandle(wire.OpenDir(r.on(p)))
	if err != nil {
		return nil, err
	}
	defer h.release()
	entries := []fs.FileInfo{}
	for r.ctx.Err() == nil {
		replies, err := h.exchangeOn(readDirs(manyReadDirs)...)
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

// readDirs returns n requests for entries.
func readDirs(n int) []wire.Request { return slices.Repeat([]wire.Request{wire.ReadDir()}, n) }

// entriesOf returns the entries in the replies, and io.EOF if the listing ends in them.
func entriesOf(replies []wire.Reply) ([]fs.FileInfo, error) {
	entries := []fs.FileInfo{}
	for _, reply := range replies {
		more, err := reply.Entries()
		if err != nil {
			return entries, err
		}
		entries = append(entries, more...)
	}
	return entries, nil
}
