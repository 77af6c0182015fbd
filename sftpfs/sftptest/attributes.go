package sftptest

import (
	"encoding/binary"
	"io/fs"
	"time"
)

// Attributes are the attributes of a file in a request or an answer. A nil field is absent.
type Attributes struct {
	Size  *uint64
	Owner *Owner
	Mode  *uint32 // type and permissions as POSIX has them, for example 0o100644
	Times *Times
}

// An Owner of a file is a user and a group.
type Owner struct{ UID, GID uint32 }

// Times of a file are sent in whole seconds.
type Times struct{ Access, Modify time.Time }

// Flags of attributes in a packet.
const (
	attrSize     = 0x01
	attrOwner    = 0x02
	attrMode     = 0x04
	attrTimes    = 0x08
	attrExtended = 1 << 31
)

// attributes decodes attributes from the packet. It skips extended ones.
func (d *decoder) attributes() (a Attributes) {
	flags := d.uint32()
	if flags&attrSize != 0 {
		a.Size = new(d.uint64())
	}
	if flags&attrOwner != 0 {
		a.Owner = &Owner{UID: d.uint32(), GID: d.uint32()}
	}
	if flags&attrMode != 0 {
		a.Mode = new(d.uint32())
	}
	if flags&attrTimes != 0 {
		a.Times = &Times{Access: d.time(), Modify: d.time()}
	}
	if flags&attrExtended != 0 {
		for n := d.uint32(); n > 0 && !d.bad; n-- {
			d.bytes()
			d.bytes()
		}
	}
	return a
}

func (e encoder) attributes(a Attributes) encoder {
	at := len(e)
	e = e.uint32(0)
	flags := uint32(0)
	if a.Size != nil {
		flags |= attrSize
		e = e.uint64(*a.Size)
	}
	if a.Owner != nil {
		flags |= attrOwner
		e = e.uint32(a.Owner.UID).uint32(a.Owner.GID)
	}
	if a.Mode != nil {
		flags |= attrMode
		e = e.uint32(*a.Mode)
	}
	if a.Times != nil {
		flags |= attrTimes
		e = e.time(a.Times.Access).time(a.Times.Modify)
	}
	binary.BigEndian.PutUint32(e[at:], flags)
	return e
}

// attributesOf returns the attributes of a file that a server sends. The access time is the modification time.
func attributesOf(fi fs.FileInfo) Attributes {
	a := Attributes{
		Size:  new(uint64(fi.Size())),
		Mode:  new(posixMode(fi.Mode())),
		Times: &Times{Access: fi.ModTime(), Modify: fi.ModTime()},
	}
	if uid, gid, ok := ownerOf(fi); ok {
		a.Owner = &Owner{UID: uid, GID: gid}
	}
	return a
}

// The file types in a POSIX mode.
const (
	typeMask      = 0o170000
	typeSocket    = 0o140000
	typeSymlink   = 0o120000
	typeRegular   = 0o100000
	typeBlock     = 0o060000
	typeDir       = 0o040000
	typeCharacter = 0o020000
	typePipe      = 0o010000
)

var types = map[fs.FileMode]uint32{
	0:                                 typeRegular,
	fs.ModeDir:                        typeDir,
	fs.ModeSymlink:                    typeSymlink,
	fs.ModeSocket:                     typeSocket,
	fs.ModeNamedPipe:                  typePipe,
	fs.ModeDevice:                     typeBlock,
	fs.ModeDevice | fs.ModeCharDevice: typeCharacter,
}

// special has the bits of a mode besides type and permissions.
var special = map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000}

func posixMode(mode fs.FileMode) uint32 {
	posix := types[mode.Type()] | uint32(mode.Perm())
	for bit, p := range special {
		if mode&bit != 0 {
			posix |= p
		}
	}
	return posix
}

// fileMode returns the bits of a POSIX mode that can be set.
func fileMode(posix uint32) fs.FileMode {
	mode := fs.FileMode(posix).Perm()
	for bit, p := range special {
		if posix&p != 0 {
			mode |= bit
		}
	}
	return mode
}
