package sftpfs

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

const (
	// packet is how much every server takes in one WRITE and gives in one READ.
	packet = 32 << 10
	// largePacket is how much pkg/sftp can take in an answer, and OpenSSH does.
	largePacket = wire.MaxPacket - 1<<10 // less what stands before the data
	// inFlight is how many bytes of one file are under way at a time: what one SSH channel moves in a round trip.
	inFlight = 2 << 20
)

// packetSize returns how large packets are to be. Large ones save both sides work, which counts where the line is
// fast; where it is slow, an answer to each would be long in coming.
func packetSize(limits wire.Limits, roundTrip time.Duration) int {
	if min(limits.Read, limits.Write) < largePacket || roundTrip == 0 || roundTrip >= longRoundTrip {
		return packet
	}
	return largePacket
}

// A packetBuffer holds what is in one packet. It goes back to where it came from.
type packetBuffer struct {
	b    []byte
	from *sync.Pool
}

// smallPacket is for small files, of which there may be thousands under way.
const smallPacket = 8 << 10

var packetBuffers = map[int]*sync.Pool{smallPacket: new(sync.Pool), packet: new(sync.Pool), largePacket: new(sync.Pool)}

// bufferFor returns the smallest buffer for n bytes.
func bufferFor(n int64) int {
	for _, size := range []int{smallPacket, packet} {
		if n <= int64(size) {
			return size
		}
	}
	return largePacket
}

// newPacket returns a buffer of the given size, which packetSize or bufferFor returned.
func newPacket(size int) *packetBuffer {
	pool := packetBuffers[size]
	if p, ok := pool.Get().(*packetBuffer); ok {
		return p
	}
	return &packetBuffer{make([]byte, size), pool}
}

func (p *packetBuffer) free() { p.from.Put(p) }

// inChunks runs op, a ReadAt or WriteAt, on pieces of b of that size in parallel. n counts what succeeded from the start
// of b without a gap; err is that of the packet behind it.
//
// pkg/sftp can do the same, but takes a short answer to a READ for the end of the file, and on an error of a WRITE
// counts what it has sent.
func inChunks(size int, b []byte, off int64, op func([]byte, int64) (int, error)) (n int, err error) {
	if len(b) <= size {
		return op(b, off)
	}
	pieces := slices.Collect(slices.Chunk(b, size))
	type result struct {
		n   int
		err error
	}
	results := make([]result, len(pieces))
	var failed atomic.Bool
	var g errgroup.Group
	g.SetLimit(inFlight / size)
	for i, piece := range pieces {
		if failed.Load() {
			break
		}
		g.Go(func() error {
			r := &results[i]
			if r.n, r.err = op(piece, off+int64(i)*int64(size)); r.err != nil {
				failed.Store(true)
			}
			return nil
		})
	}
	_ = g.Wait()
	for _, r := range results {
		n += r.n
		if r.err != nil {
			return n, r.err
		}
	}
	return n, nil
}
