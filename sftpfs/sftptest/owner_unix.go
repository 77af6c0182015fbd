//go:build unix

package sftptest

import (
	"io/fs"
	"syscall"
)

func diskOwner(fi fs.FileInfo) (uid, gid uint32, ok bool) {
	stat, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return stat.Uid, stat.Gid, true
}
