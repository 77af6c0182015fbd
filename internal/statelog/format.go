package statelog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
)

// A file is a header followed by records.
//
//	header: magic (8 bytes), version (uint32), CRC-32C of the 12 bytes before
//	record: length of the payload (uint32), CRC-32C of the length and the payload, payload
//
// Numbers are little-endian. The checksum covers the length, so zeros are never a record.
const (
	magic        = "SYNCFSLG"
	version      = 1
	headerSize   = 16
	recordHeader = 8
)

// MaxRecord is the longest payload in bytes. A transaction may concern every file of a listing that arrived at once.
const MaxRecord = 256 << 20

var (
	// ErrVersion is the error for a log that a newer version of this package has written.
	ErrVersion = errors.New("log has a newer format")

	// ErrTooLong is the error for a payload longer than MaxRecord. It matches fs.ErrInvalid.
	ErrTooLong = fmt.Errorf("%w: record longer than %d bytes", fs.ErrInvalid, MaxRecord)

	errTornHeader = errors.New("header is cut off")
	errBadHeader  = errors.New("header is not that of a log")
	errBadRecord  = errors.New("bad record before good ones")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func header() []byte {
	h := append(make([]byte, 0, headerSize), magic...)
	h = binary.LittleEndian.AppendUint32(h, version)
	return binary.LittleEndian.AppendUint32(h, crc32.Checksum(h, castagnoli))
}

// checkHeader checks the first headerSize bytes of a file, or all of a shorter one. Only an intact header can have
// another version.
func checkHeader(h []byte) error {
	if len(h) < headerSize {
		if bytes.HasPrefix(header(), h) || len(bytes.Trim(h, "\x00")) == 0 {
			return errTornHeader
		}
		return errBadHeader
	}
	sum := binary.LittleEndian.Uint32(h[12:])
	if string(h[:8]) != magic || sum != crc32.Checksum(h[:12], castagnoli) {
		return errBadHeader
	}
	if v := binary.LittleEndian.Uint32(h[8:]); v != version {
		return fmt.Errorf("%w: %d, this program reads %d", ErrVersion, v, version)
	}
	return nil
}

// appendRecord appends payload as a record to b.
func appendRecord(b, payload []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	sum := crc32.Update(crc32.Checksum(b[start:], castagnoli), castagnoli, payload)
	b = binary.LittleEndian.AppendUint32(b, sum)
	return append(b, payload...)
}

// recordStart is the decoded start of a record: its first recordHeader bytes.
type recordStart struct {
	length int64  // of the payload
	sum    uint32 // of length and payload
	crc    uint32 // of the length; to be continued with the payload
}

func parseStart(b []byte) recordStart {
	return recordStart{
		length: payloadLength(b),
		sum:    binary.LittleEndian.Uint32(b[4:]),
		crc:    crc32.Checksum(b[:4], castagnoli),
	}
}

func payloadLength(b []byte) int64 { return int64(binary.LittleEndian.Uint32(b)) }

// fits reports whether a payload can have that length if left bytes follow the start of its record.
func fits(length, left int64) bool { return length <= MaxRecord && length <= left }

// holds reports whether payload matches the checksum.
func (s recordStart) holds(payload []byte) bool {
	return crc32.Update(s.crc, castagnoli, payload) == s.sum
}
