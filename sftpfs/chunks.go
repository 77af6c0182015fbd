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
	// packet is the number of bytes that every server accepts in one WRITE and returns for one READ.
	packet = 32 << 10
	// largePacket is the most data that pkg/sftp accepts in an answer. OpenSSH sends that much.
	largePacket = wire.MaxPacket - 1<<10 // minus what precedes the data
	// inFlight is how many bytes of one file are in flight at a time: what one SSH channel carries per round trip.
	inFlight = 2 << 20
)

// packetSize returns the size of packets to use. Large packets save both sides work, which matters if the round trip is
// short. If it is long, each answer would take too long to arrive.
func packetSize(limits wire.Limits, roundTrip time.Duration) int {
	if min(limits.Read, limits.Write) < largePacket || roundTrip == 0 || roundTrip >= longRoundTrip {
		return packet
	}
	return largePacket
}

// A packetBuffer holds the data of one packet. free returns it to its pool.
type packetBuffer struct {
	b    []byte
	from *sync.Pool
}

// smallPacket is for small files, thousands of which may be in flight.
const smallPacket = 8 << 10

var packetBuffers = map[int]*sync.Pool{smallPacket: new(sync.Pool), packet: new(sync.Pool), largePacket: new(sync.Pool)}

// bufferFor returns the smallest size of a buffer that holds n bytes, at most largePacket.
func bufferFor(n int64) int {
	for _, size := range []int{smallPacket, packet} {
		if n <= int64(size) {
			return size
		}
	}
	return largePacket
}

// newPacket returns a buffer. size is a result of packetSize or bufferFor.
func newPacket(size int) *packetBuffer {
	pool := packetBuffers[size]
	if p, ok := pool.Get().(*packetBuffer); ok {
		return p
	}
	return &packetBuffer{make([]byte, size), pool}
}

func (p *packetBuffer) free() { p.from.Put(p) }

// inChunks runs op, a ReadAt or WriteAt, in parallel on pieces of b of the given size. n counts the bytes that
// succeeded from the start of b without a gap; err is the error of the piece that follows them.
//
// pkg/sftp can do the same, but it takes a short answer to a READ for the end of the file, and after a failed WRITE it
// counts the bytes that it has sent.
func inChunks(size int, b []byte, off int64, op func([]byte, int64) (int, error)) (n int, err error) {
	return inPieces(size, b, off, func(off int64) func([]byte) (int, error) {
		return func(piece []byte) (int, error) { return op(piece, off) }
	})
}

// inPieces is inChunks, but calls queue for the offset of each piece, in order, for what is to run in parallel.
func inPieces(size int, b []byte, off int64, queue func(off int64) func([]byte) (int, error)) (n int, err error) {
	if len(b) <= size {
		return queue(off)(b)
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
		op := queue(off + int64(i)*int64(size))
		g.Go(func() error {
			r := &results[i]
			if r.n, r.err = op(piece); r.err != nil {
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
