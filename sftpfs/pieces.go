package sftpfs

import (
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

const (
	// packet is how much every server takes in one WRITE and gives in one READ.
	packet = 32 << 10
	// inFlight is how many packets of one file are under way at a time: what one SSH channel moves in a round trip.
	inFlight = 64
)

// inPieces runs op, a ReadAt or WriteAt, on the packets of b in parallel. n counts what succeeded from the start
// of b without a gap; err is that of the packet behind it.
//
// pkg/sftp can do the same, but takes a short answer to a READ for the end of the file, and on an error of a WRITE
// counts what it has sent.
func inPieces(b []byte, off int64, op func([]byte, int64) (int, error)) (n int, err error) {
	if len(b) <= packet {
		return op(b, off)
	}
	pieces := slices.Collect(slices.Chunk(b, packet))
	type result struct {
		n   int
		err error
	}
	results := make([]result, len(pieces))
	var failed atomic.Bool
	var g errgroup.Group
	g.SetLimit(inFlight)
	for i, piece := range pieces {
		if failed.Load() {
			break
		}
		g.Go(func() error {
			r := &results[i]
			if r.n, r.err = op(piece, off+int64(i)*packet); r.err != nil {
				failed.Store(true)
			}
			return nil
		})
	}
	g.Wait()
	for _, r := range results {
		n += r.n
		if r.err != nil {
			return n, r.err
		}
	}
	return n, nil
}
