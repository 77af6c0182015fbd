package sftptest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"time"
)

// The packet types that do not belong to a Kind.
const (
	packetInit          = 1
	packetVersion       = 2
	packetStatus        = 101
	packetHandle        = 102
	packetData          = 103
	packetName          = 104
	packetAttrs         = 105
	packetExtended      = 200
	packetExtendedReply = 201
)

// protocolVersion is the version of SFTP that the server speaks, whatever the client asks for.
const protocolVersion = 3

const (
	// defaultMaxPacket is OpenSSH's.
	defaultMaxPacket = 256 << 10
	// packetOverhead is the room that OpenSSH leaves in a packet for all but the data.
	packetOverhead = 1 << 10
)

var errMalformed = errors.New("malformed packet")

// readPacket reads one packet of at most limit bytes. It returns the packet without its length.
func readPacket(r io.Reader, limit int) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := int64(binary.BigEndian.Uint32(length[:]))
	if n == 0 || n > int64(limit) {
		return nil, fmt.Errorf("%w of %d bytes", errMalformed, n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

// A decoder takes fields off the front of b. After the first missing field, all fields are zero and bad is set.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n int64) []byte {
	if n > int64(len(d.b)) {
		d.b, d.bad = nil, true
		return nil
	}
	taken := d.b[:n]
	d.b = d.b[n:]
	return taken
}

func (d *decoder) uint32() uint32 {
	if b := d.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) bytes() []byte { return d.take(int64(d.uint32())) }

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) path() string { return absolute(d.string()) }

func (d *decoder) time() time.Time { return time.Unix(int64(d.uint32()), 0) }

// absolute returns name as a clean path from the root of the served tree.
func absolute(name string) string { return path.Clean("/" + name) }

// An encoder is a packet that grows at its end.
type encoder []byte

// newPacket begins a packet. finish ends it.
func newPacket(packetType byte, id uint32) encoder {
	return encoder{0, 0, 0, 0, packetType}.uint32(id)
}

func (e encoder) uint32(n uint32) encoder { return binary.BigEndian.AppendUint32(e, n) }

func (e encoder) uint64(n uint64) encoder { return binary.BigEndian.AppendUint64(e, n) }

func (e encoder) string(s string) encoder { return append(e.uint32(uint32(len(s))), s...) }

func (e encoder) bytes(b []byte) encoder { return append(e.uint32(uint32(len(b))), b...) }

func (e encoder) time(t time.Time) encoder { return e.uint32(uint32(t.Unix())) }

// finish sets the length of the packet.
func (e encoder) finish() []byte {
	binary.BigEndian.PutUint32(e, uint32(len(e)-4))
	return e
}
