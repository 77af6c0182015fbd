package sftpfs

import "io/fs"

const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// masked returns the mode that a file just made with the mode made shall get when perm was asked for, and whether
// that differs. The server's umask is not known but shows in what it left: a class that may not read may not
// execute either, and a new file never is executable. Bits that a directory inherits stay.
func masked(perm, made fs.FileMode) (mode fs.FileMode, change bool) {
	left := made.Perm()
	if left == 0 {
		return 0, false // a server that tells no modes
	}
	left |= left & 0o444 >> 2
	mode = perm.Perm()&left | (perm|made)&special
	return mode, mode != made&(fs.ModePerm|special)
}
