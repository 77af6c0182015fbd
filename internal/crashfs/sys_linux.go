package crashfs

import "syscall"

// sys is what FileInfo.Sys returns: of what stat(2) says only the inode number and the ctime.
func (n *node) sys() any {
	if n.ino == 0 {
		return nil
	}
	return &syscall.Stat_t{Ino: n.ino, Ctim: syscall.NsecToTimespec(n.ctime.UnixNano())}
}
