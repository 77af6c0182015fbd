// Package wiretest scripts SFTP servers packet by packet, for tests. It has its own encoding of packets, so that a
// mistake in package wire shows.
package wiretest

import (
	"encoding/binary"
	"io"
)

// Types of packets.
const (
	Init          = 1
	Version       = 2
	Open          = 3
	Close         = 4
	Read          = 5
	Write         = 6
	Lstat         = 7
	Fstat         = 8
	Fsetstat      = 10
	OpenDir       = 11
	ReadDir       = 12
	Remove        = 13
	Mkdir         = 14
	Realpath      = 16
	Stat          = 17
	Rename        = 18
	Readlink      = 19
	Status        = 101
	Handle        = 102
	Data          = 103
	Name          = 104
	Attrs         = 105
	Extended      = 200
	ExtendedReply = 201
)

// Codes of a status.
const (
	OK      = 0
	EOF     = 1
	Failure = 4
)

// HeaderSize is the size of length, type and id, with which every packet begins except Init and Version.
const HeaderSize = 9

// A Request is a packet from the client. For Init, ID is the version.
type Request struct {
	Kind byte
	ID   uint32
	Body []byte // not yet read
}

// Text reads a string from the body.
func (r *Request) Text() string { return string(r.take(int(r.Uint32()))) }

// Uint32 reads a number from the body.
func (r *Request) Uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

// Uint64 reads a number from the body.
func (r *Request) Uint64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

func (r *Request) take(n int) []byte {
	taken := r.Body[:n]
	r.Body = r.Body[n:]
	return taken
}

// Packet returns an answer. A field is a uint32, a uint64, a string (which is preceded by its length) or a []byte
// (which is not).
func Packet(kind byte, id uint32, fields ...any) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 0, kind}, id)
	for _, v := range fields {
		switch v := v.(type) {
		case uint32:
			b = binary.BigEndian.AppendUint32(b, v)
		case uint64:
			b = binary.BigEndian.AppendUint64(b, v)
		case string:
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
		case []byte:
			b = append(b, v...)
		default:
			panic("wiretest: a field of another type")
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// VersionPacket returns the answer to Init. extensions are pairs of name and data.
func VersionPacket(extensions ...any) []byte { return Packet(Version, 3, extensions...) }

// StatusPacket returns a status without a message.
func StatusPacket(id, code uint32) []byte { return Packet(Status, id, code, "", "") }

// AttrsOf returns attributes, to be used as a field.
func AttrsOf(size uint64, mode, mtime uint32) []byte {
	return Packet(0, 0, uint32(1|4|8), size, mode, mtime, mtime)[HeaderSize:]
}

// NamesPacket returns a part of a listing, with files of these names.
func NamesPacket(id uint32, names ...string) []byte {
	fields := []any{uint32(len(names))}
	for _, n := range names {
		fields = append(fields, n, "", AttrsOf(0, 0o100644, 1e9))
	}
	return Packet(Name, id, fields...)
}

// ReadRequest reads a packet from the client.
func ReadRequest(r io.Reader) (Request, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return Request{}, err
	}
	b := make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(r, b); err != nil {
		return Request{}, err
	}
	return Request{Kind: b[0], ID: binary.BigEndian.Uint32(b[1:]), Body: b[5:]}, nil
}

// Serve answers each request until there are no more, and then closes the channel. An answer may be empty.
func Serve(c io.ReadWriteCloser, answer func(Request) []byte) {
	defer c.Close()
	for {
		r, err := ReadRequest(c)
		if err != nil {
			return
		}
		if b := answer(r); len(b) > 0 {
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}
}
