package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
)

// Types of SFTP packets that a Wire tells apart.
const (
	packetInit          = 1
	packetVersion       = 2
	packetOpen          = 3
	packetClose         = 4
	packetRead          = 5
	packetWrite         = 6
	packetLstat         = 7
	packetFstat         = 8
	packetSetstat       = 9
	packetFsetstat      = 10
	packetOpendir       = 11
	packetReaddir       = 12
	packetRemove        = 13
	packetMkdir         = 14
	packetRealpath      = 16
	packetStat          = 17
	packetRename        = 18
	packetReadlink      = 19
	packetStatus        = 101
	packetHandle        = 102
	packetData          = 103
	packetName          = 104
	packetAttrs         = 105
	packetExtended      = 200
	packetExtendedReply = 201
)

// Codes of a STATUS packet.
const (
	StatusOK               = 0
	StatusEOF              = 1
	StatusNoSuchFile       = 2
	StatusPermissionDenied = 3
	StatusFailure          = 4
	StatusOpUnsupported    = 8
	StatusInvalidParameter = 23 // of version 6
)

// Flags of OPEN.
const (
	openRead   = 0x01
	openWrite  = 0x02
	openCreate = 0x08
	openExcl   = 0x20
)

// Flags of attributes.
const (
	attrSize        = 0x01
	attrOwner       = 0x02
	attrPermissions = 0x04
	attrTimes       = 0x08
	attrExtended    = 1 << 31
)

// Names of protocol extensions.
const (
	ExtensionLimits      = "limits@openssh.com" // asks for the server's limits
	ExtensionFsync       = "fsync@openssh.com"
	ExtensionPosixRename = "posix-rename@openssh.com"
	ExtensionStatVFS     = "statvfs@openssh.com" // asks how full the disk is
)

const (
	// headerSize is the size of length, type and id, with which every packet begins except INIT and VERSION.
	headerSize = 9
	// MaxPacket is the maximum length in bytes of an answer that pkg/sftp accepts, without the length field.
	MaxPacket = 256 << 10
	// maxHandle is the maximum length of a handle in bytes. Every request on a handle contains it. The protocol allows
	// 256, but a server may make a handle of a path.
	maxHandle = 4096
	// MaxMessage is how many bytes of the message in a status are kept: there may be an error for each file of a tree.
	MaxMessage = 256
	// maxName is the maximum length of a name in a listing, in bytes: that of the longest path.
	maxName = 4096
)

// answersWithData reports whether the answer to a successful request is more than a status.
func answersWithData(request byte) bool {
	switch request {
	case packetOpen, packetRead, packetLstat, packetFstat, packetOpendir, packetReaddir, packetRealpath, packetStat,
		packetReadlink:
		return true
	}
	return false
}

// ends reports whether the answer to a request may be EOF.
func ends(request byte) bool { return request == packetRead || request == packetReaddir }

// A BadAnswer is the error for an impossible answer of the server. It matches fs.ErrInvalid. The channel stays usable.
type BadAnswer string

func (e BadAnswer) Error() string { return string(e) }

// Unwrap makes a BadAnswer match fs.ErrInvalid and syscall.EINVAL.
func (BadAnswer) Unwrap() error { return invalid.Argument }

// CheckName returns a BadAnswer if a name in a listing cannot be the name of an entry: a path made of it could lead
// elsewhere.
func CheckName(name string) error {
	switch {
	case len(name) > maxName:
		return BadAnswer(fmt.Sprintf("the server lists an entry whose name has %d bytes, %d are the most", len(name), maxName))
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
		return BadAnswer(fmt.Sprintf("the server lists an entry %q", name))
	}
	return nil
}

// isDot reports whether a listed name is "." or "..". Some servers list these.
func isDot(name string) bool { return name == "." || name == ".." }

// parseStatus returns code and message of the body of a STATUS packet, after the id. It returns false if there is no code.
// Old servers leave out the message. A long one is cut off.
func parseStatus(body []byte) (code uint32, message []byte, ok bool) {
	f := fields{b: body}
	if code = f.uint32(); f.bad {
		return 0, nil, false
	}
	message = f.bytes()
	return code, message[:min(len(message), MaxMessage)], true
}

// statusPacket returns a status in answer to the request id.
func statusPacket(id, code uint32, message []byte) []byte {
	length := 17 + len(message) // without the length field
	b := make([]byte, 0, 4+length)
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	b = append(b, packetStatus)
	b = binary.BigEndian.AppendUint32(b, id)
	b = binary.BigEndian.AppendUint32(b, code)
	b = binary.BigEndian.AppendUint32(b, uint32(len(message)))
	b = append(b, message...)
	return binary.BigEndian.AppendUint32(b, 0) // language
}

// fields reads the fields of a packet. After the first missing field, all fields are zero and bad is set.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) take(n int) []byte {
	if n < 0 || n > len(f.b) {
		f.b, f.bad = nil, true
	}
	if f.bad {
		return nil
	}
	var taken []byte
	taken, f.b = f.b[:n], f.b[n:]
	return taken
}

func (f *fields) uint32() uint32 {
	if b := f.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (f *fields) uint64() uint64 {
	if b := f.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (f *fields) bytes() []byte { return f.take(int(min(f.uint32(), math.MaxInt32))) }

func (f *fields) string() string { return string(f.bytes()) }

// stat reads the attributes of a file. It skips extended ones.
func (f *fields) stat() (stat sftp.FileStat) {
	flags := f.uint32()
	if flags&attrSize != 0 {
		stat.Size = f.uint64()
	}
	if flags&attrOwner != 0 {
		stat.UID, stat.GID = f.uint32(), f.uint32()
	}
	if flags&attrPermissions != 0 {
		stat.Mode = f.uint32()
	}
	if flags&attrTimes != 0 {
		stat.Atime, stat.Mtime = f.uint32(), f.uint32()
	}
	if flags&attrExtended != 0 {
		for range f.uint32() {
			f.bytes()
			f.bytes()
			if f.bad {
				break
			}
		}
	}
	return stat
}

// entry reads an entry of a listing.
func (f *fields) entry() (name string, stat sftp.FileStat, err error) {
	name = f.string()
	f.bytes() // the line of ls -l
	stat = f.stat()
	switch {
	case f.bad:
		err = errMalformed
	case !isDot(name):
		err = CheckName(name)
	}
	return name, stat, err
}
