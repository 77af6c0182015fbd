package wire

import (
	"encoding/binary"
	"hash/maphash"
)

// A Request is a request to be pipelined. A request without a path is about a handle: the one that the first request of
// an Exchange or Send opens, or the one given to OnHandle.
type Request struct {
	kind byte
	body body
	// onOpened says that the request is about the handle that the first request sent together with it opens. The body
	// follows the handle.
	onOpened bool
	data     []byte // of a WRITE: follows the body, which contains its length
}

// OpenRead opens the file path for reading.
func OpenRead(path string) Request {
	return Request{kind: packetOpen, body: body{}.string(path).uint32(openRead).uint32(0)}
}

// OpenNew creates the file path, with the mode in SFTP's encoding, and opens it for writing. The server refuses if path
// exists.
func OpenNew(path string, mode uint32) Request {
	return Request{kind: packetOpen, body: body{}.string(path).uint32(openWrite | openCreate | openExcl).
		uint32(attrPermissions).uint32(mode)}
}

// OpenDir opens the directory path for listing.
func OpenDir(path string) Request { return Request{kind: packetOpendir, body: body{}.string(path)} }

// CloseHandle closes the handle.
func CloseHandle() Request { return Request{kind: packetClose, onOpened: true} }

// ReadAt reads n bytes of the open file.
func ReadAt(off uint64, n uint32) Request {
	return Request{kind: packetRead, body: body{}.uint64(off).uint32(n), onOpened: true}
}

// WriteAt writes data to the open file. The Request refers to data until it is sent.
func WriteAt(off uint64, data []byte) Request {
	return Request{kind: packetWrite, body: body{}.uint64(off).uint32(uint32(len(data))), onOpened: true, data: data}
}

// Fstat asks for the attributes of the open file.
func Fstat() Request { return Request{kind: packetFstat, onOpened: true} }

// SetTimes sets the times of the open file, in SFTP's encoding.
func SetTimes(atime, mtime uint32) Request {
	return Request{kind: packetFsetstat, onOpened: true, body: body{}.uint32(attrTimes).uint32(atime).uint32(mtime)}
}

// ReadDir asks for more entries of the open directory.
func ReadDir() Request { return Request{kind: packetReaddir, onOpened: true} }

// Stat asks for the attributes of path. It follows symbolic links.
func Stat(path string) Request { return Request{kind: packetStat, body: body{}.string(path)} }

// Lstat asks for the attributes of path, without following a symbolic link.
func Lstat(path string) Request { return Request{kind: packetLstat, body: body{}.string(path)} }

// Mkdir makes the directory path, with the mode in SFTP's encoding.
func Mkdir(path string, mode uint32) Request {
	return Request{kind: packetMkdir, body: body{}.string(path).uint32(attrPermissions).uint32(mode)}
}

// Remove removes path, which is not a directory.
func Remove(path string) Request { return Request{kind: packetRemove, body: body{}.string(path)} }

// AskLimits asks for the Limits of the server.
func AskLimits() Request { return Request{kind: packetExtended, body: body{}.string(ExtensionLimits)} }

// OnHandle returns the request as a request on the given handle.
func (r Request) OnHandle(handle string) Request {
	if r.onOpened {
		r.body, r.onOpened = append(body{}.string(handle), r.body...), false
	}
	return r
}

// appendTo appends the request as a packet. handle is the one that the first request sent with this one opens.
func (r Request) appendTo(b []byte, id uint32, handle string) []byte {
	length := headerSize - 4 + len(r.body) + len(r.data)
	if r.onOpened {
		length += 4 + len(handle)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	b = append(b, r.kind)
	b = binary.BigEndian.AppendUint32(b, id)
	if r.onOpened {
		b = body(b).string(handle)
	}
	b = append(b, r.body...)
	return append(b, r.data...)
}

// PathHash returns HashPath of the path that the request names; for a rename, of the new path. It returns 0 if the
// request names no path, or is of an unknown kind.
func (r Request) PathHash() uint64 {
	f := fields{b: r.body}
	switch r.kind {
	case packetOpen, packetOpendir, packetStat, packetLstat, packetReadlink, packetRealpath, packetSetstat, packetMkdir,
		packetRemove:
	case packetRename:
		f.bytes()
	case packetExtended:
		if string(f.bytes()) != ExtensionPosixRename {
			return 0
		}
		f.bytes()
	default:
		return 0
	}
	return max(maphash.Bytes(hashSeed, f.bytes()), 1)
}

// handle returns the handle that the request is about, nil if there is none.
func (r Request) handle() []byte {
	switch f := (fields{b: r.body}); r.kind {
	case packetClose, packetRead, packetWrite, packetFstat, packetFsetstat, packetReaddir:
		return f.bytes()
	default:
		return nil
	}
}

// body builds the body of a request.
type body []byte

func (b body) uint32(n uint32) body { return binary.BigEndian.AppendUint32(b, n) }
func (b body) uint64(n uint64) body { return binary.BigEndian.AppendUint64(b, n) }
func (b body) string(s string) body { return append(b.uint32(uint32(len(s))), s...) }
