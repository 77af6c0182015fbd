package sftptest

import "io/fs"

// ownerOf returns the owner of a file whose FileInfo has it, as in this package's own tree, or that is on the local
// disk.
func ownerOf(fi fs.FileInfo) (uid, gid uint32, ok bool) {
	if owned, ok := fi.(interface {
		Uid() uint32
		Gid() uint32
	}); ok {
		return owned.Uid(), owned.Gid(), true
	}
	return diskOwner(fi)
}
