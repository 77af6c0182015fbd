//go:build !unix

package sftptest

import "io/fs"

func diskOwner(fs.FileInfo) (uid, gid uint32, ok bool) { return 0, 0, false }
