package sftpfs

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

func TestInChunks(t *testing.T) {
	t.Parallel()
	content := make([]byte, 5*packet+17)
	for i := range content {
		content[i] = byte(i * 7 >> 3)
	}
	b := make([]byte, len(content))
	n, err := inChunks(packet, b, 0, bytes.NewReader(content).ReadAt)
	require.NoError(t, err)
	require.Equal(t, len(b), n)
	require.True(t, bytes.Equal(content, b))

	n, err = inChunks(packet, b, packet+1, bytes.NewReader(content).ReadAt)
	require.Equal(t, io.EOF, err)
	require.Equal(t, len(content)-packet-1, n)
	require.True(t, bytes.Equal(content[packet+1:], b[:n]))
}

// What has arrived behind a gap does not count, and nothing more is sent.
func TestInChunksCountsWithoutGap(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	var calls atomic.Int64
	refused := make(chan struct{})
	n, err := inChunks(packet, make([]byte, 1000*packet), 0, func(b []byte, off int64) (int, error) {
		calls.Add(1)
		if off == 2*packet {
			defer close(refused)
			return 5, full
		}
		if off > 2*packet {
			<-refused
		}
		return len(b), nil
	})
	require.Equal(t, full, err)
	require.Equal(t, 2*packet+5, n)
	require.Less(t, calls.Load(), int64(1000))
}

func TestPacketSize(t *testing.T) {
	t.Parallel()
	able := wire.Limits{Read: 261120, Write: 261120}
	for _, c := range []struct {
		limits    wire.Limits
		roundTrip time.Duration
		want      int
	}{
		{able, time.Millisecond, largePacket},
		{able, 0, packet},
		{able, longRoundTrip, packet},
		{wire.Limits{}, time.Millisecond, packet},
		{wire.Limits{Read: 261120, Write: 65536}, time.Millisecond, packet},
	} {
		require.Equal(t, c.want, packetSize(c.limits, c.roundTrip))
	}
	require.LessOrEqual(t, largePacket+64, wire.MaxPacket)
}

// Thousands of small files may be under way, and each holds a buffer.
func TestSmallContentTakesSmallBuffer(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]int{0: smallPacket, smallPacket: smallPacket, smallPacket + 1: packet, packet: packet,
		packet + 1: largePacket, 1 << 40: largePacket} {
		require.Equal(t, want, bufferFor(n), n)
		require.Len(t, newPacket(bufferFor(n)).b, want)
	}
}
