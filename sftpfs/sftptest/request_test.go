package sftptest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a client sends is decoded or refused, and what was decoded has an answer.
func FuzzParse(f *testing.F) {
	seeds := []encoder{
		newPacket(packetExtended, 1).string(string(PosixRename)).string("/a").string("/b"),
		newPacket(14, 1).string("/a").attributes(Attributes{
			Size: new(uint64(1)), Owner: &Owner{UID: 1, GID: 2}, Mode: new(uint32(0o644)), Times: &Times{},
		}),
		newPacket(14, 1).string("/a").uint32(attrExtended).uint32(1 << 31),
	}
	for packetType := range len(kinds) {
		seeds = append(seeds, newPacket(byte(packetType), 1),
			newPacket(byte(packetType), 1).string("/a").string("/b").uint32(0).uint32(0).uint64(0))
	}
	for _, seed := range seeds {
		f.Add([]byte(seed[4:]))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) == 0 {
			return
		}
		r, err := parse(packet)
		if err != nil {
			require.ErrorIs(t, err, errMalformed)
			return
		}
		for _, a := range []Answer{{}, Refuse(StatusFailure, "message"), {Entries: []Entry{{Name: "n"}}}, {Data: []byte("data")}} {
			reply := a.packet(r)
			require.EqualValues(t, len(reply)-4, (&decoder{b: reply}).uint32())
		}
	})
}

// Attributes come out of a packet as they went in.
func TestAttributes(t *testing.T) {
	t.Parallel()
	size, mode := new(uint64(1<<40)), new(uint32(0o100644))
	for _, want := range []Attributes{
		{}, {Size: size}, {Mode: mode}, {Owner: &Owner{UID: 1, GID: 2}}, {Size: size, Mode: mode},
	} {
		d := decoder{b: encoder{}.attributes(want)}
		require.Equal(t, want, d.attributes())
		require.Empty(t, d.b)
		require.False(t, d.bad)
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	for posix := uint32(0); posix < 0o10000; posix++ {
		require.Equal(t, posix|typeRegular, posixMode(fileMode(posix)))
	}
}

func TestStatusTexts(t *testing.T) {
	t.Parallel()
	for s := range StatusNoMatchingByteRangeLock + 1 {
		require.NotEmpty(t, s.text())
	}
	require.Equal(t, "status 15: Quota exceeded", StatusQuotaExceeded.Error())
	require.Equal(t, "status 99: Unknown status", Status(99).Error())
}
